#include "hw/calibrate/device_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/json_writer.h"
#include "core/statistics.h"
#include "core/table.h"
#include "hw/fit/power_fit.h"

namespace forerun::hw {
namespace {

double digits(double v) { return std::round(v * 1e4) / 1e4; }

/// `pointer` of the entry, `value` as JSON.
DeviceField field(const std::string& name, const std::string& pointer, const std::string& value,
                  std::string was, std::string now, Evidence evidence, const std::string& files,
                  const std::string& how) {
  const std::string source = fmt::format("{}: {}", files, how);
  return {{name, std::move(was), std::move(now), evidence, files},
          {pointer, fmt::format("{{\"value\": {}, \"evidence\": \"{}\", \"source\": {}}}", value,
                                forerun::name(evidence), json_quoted(source))}};
}

DeviceField number(const std::string& name, const std::string& pointer, double was, double now,
                   Evidence evidence, const std::string& files, const std::string& how) {
  return field(name, pointer, fmt::format("{}", now), fmt::format("{:.4g}", was),
               fmt::format("{:.4g}", now), evidence, files, how);
}

template <class Timed>
std::string files(const std::vector<Timed>& all) {
  std::vector<LogPlace> places;
  for (const Timed& t : all) places.push_back(t.place);
  return files_of(places);
}

}  // namespace

std::optional<double> streaming_efficiency(const std::vector<TimedCopy>& local,
                                           const Accelerator& a) {
  if (local.empty()) return std::nullopt;
  double most = 0;
  for (const TimedCopy& c : local) most = std::max(most, 2.0 * c.rate / a.memory_bandwidth);
  return digits(std::min(1.0, most));
}

std::vector<DeviceField> streaming_fields(const std::vector<TimedCopy>& local,
                                          const Accelerator& a) {
  const std::optional<double> now = streaming_efficiency(local, a);
  if (!now) return {};
  return {number("streaming_efficiency", "/streaming_efficiency", a.streaming_efficiency, *now,
                 Evidence::measured, files(local), "the fastest large copy in device memory")};
}

std::vector<DeviceField> ramp_fields(const MemoryCalibration& c, const Accelerator& a) {
  if (!c.ramp) return {};
  std::vector<LogPlace> places;
  for (const CalibratedPoint& p : c.family.points) places.push_back(p.place);
  const std::string now = fmt::format("{:.3g} us", c.ramp->in(Seconds(1e-6)));
  return {field("memory_ramp", "/memory_ramp", json_quoted(now), show(a.memory_ramp), now,
                Evidence::measured, files_of(places),
                fmt::format("fixed part of {} kernels bound by memory, at this profile's "
                            "efficiencies",
                            places.size()))};
}

std::vector<DeviceField> tax_fields(const std::vector<TimedTax>& taxes, const Accelerator& a) {
  std::vector<double> shares;
  std::vector<TimedTax> used;
  for (const TimedTax& t : taxes) {
    if (t.beside != "all_reduce") continue;
    shares.push_back(std::clamp(t.together / t.alone - 1, 0.0, 1.0));
    used.push_back(t);
  }
  if (used.empty()) return {};
  return {number("collective_tax", "/collective_tax", a.collective_tax, digits(median(shares)),
                 Evidence::measured, files(used),
                 fmt::format("median over {} products beside an all-reduce", used.size()))};
}

std::vector<DeviceField> power_fields(const std::vector<TimedGemm>& sustained,
                                      const Accelerator& a) {
  std::vector<GemmRow> rows;
  std::vector<TimedGemm> used;
  for (const TimedGemm& t : sustained) {
    if (!t.power || t.gemm.precision != Precision::bf16 || t.gemm.batch != 1) continue;
    rows.push_back({t.gemm.m, t.gemm.n, t.gemm.k, "bf16", t.time, *t.power});
    used.push_back(t);
  }
  if (used.size() < kFewestPowered) return {};
  const PowerFit fit = fit_power(rows, a);
  const std::string from = files(used);
  const std::string how =
      fmt::format("fitted to {} sustained products: power within {}, time within {} (medians)",
                  used.size(), show_percent(fit.power_error), show_percent(fit.sustained_error));
  const std::string idle = fmt::format("{:.4g} W", fit.model.idle.base());
  return {field("power.idle", "/power/idle", json_quoted(idle),
                fmt::format("{:.4g} W", a.power.idle.base()), idle, Evidence::measured, from,
                "the least power of a sustained product"),
          number("power.picojoules_per_flop", "/power/picojoules_per_flop",
                 a.power.per_flop.base() * 1e12, digits(fit.model.per_flop.base() * 1e12),
                 Evidence::fitted, from, how),
          number("power.picojoules_per_byte", "/power/picojoules_per_byte",
                 a.power.per_byte.base() * 1e12, digits(fit.model.per_byte.base() * 1e12),
                 Evidence::fitted, from, how)};
}

}  // namespace forerun::hw
