#include "hw/calibrate/gemm_family.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "core/statistics.h"
#include "hw/calibrate/scaled_surface.h"
#include "hw/fit/gemm_fit.h"
#include "hw/fit/hold_out.h"

namespace forerun::hw {
namespace {

/// A fit takes seconds, so a surface is tried with a fifth of the products left out at a time.
constexpr std::size_t kParts = 5;
/// Products beyond are sampled: a fit's time grows with them.
constexpr std::size_t kMostToFit = 1500;

GemmRow row_of(const TimedGemm& t) {
  return {t.gemm.m, t.gemm.n, t.gemm.k, std::string(name(t.gemm.precision)), t.time, Watts{}};
}

GemmMachine machine_of_fit(const Accelerator& a, Precision p) {
  const double bytes_out = p == Precision::fp32 || p == Precision::tf32 ? 4 : 2;
  return {a.peak.at(p), a.memory_bandwidth, a.multiprocessors, bytes_per_element(p), bytes_out};
}

GemmFit fit_surface(const std::vector<TimedGemm>& measured, const Accelerator& a, Precision p) {
  GemmFitTask task;
  for (const TimedGemm& t : measured) {
    if (task.rows.size() < kMostToFit) task.rows.push_back(row_of(t));
  }
  task.peak = a.peak.at(p);
  task.machine = machine_of_fit(a, p);
  return fit_gemm(task);
}

std::vector<Seconds> leave_parts_out(const std::vector<TimedGemm>& measured, const Accelerator& a,
                                     Precision p) {
  std::vector<Seconds> predictions(measured.size());
  for (std::size_t part = 0; part < kParts; ++part) {
    std::vector<TimedGemm> others;
    // By what hangs on the sizes alone, so that the order of the file does not matter.
    const auto in_part = [&](const TimedGemm& t) {
      return static_cast<std::size_t>(draw(row_of(t)) * static_cast<double>(kParts)) == part;
    };
    for (const TimedGemm& t : measured) {
      if (!in_part(t)) others.push_back(t);
    }
    if (others.size() == measured.size() || others.empty()) continue;
    const GemmSurface surface(fit_surface(others, a, p), machine_of_fit(a, p), true);
    for (std::size_t i = 0; i < measured.size(); ++i) {
      if (in_part(measured[i])) predictions[i] = predicted(surface, measured[i]);
    }
  }
  return predictions;
}

std::vector<Seconds> leave_one_out(const std::vector<TimedGemm>& measured, const Accelerator& a,
                                   Precision p, double rate) {
  std::vector<Seconds> predictions(measured.size());
  if (measured.size() < 2) return predictions;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    std::vector<TimedGemm> others = measured;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    const double scale = fit_scale(others, a, p, rate);
    predictions[i] = predicted(*scaled_surface(a, p, rate, scale), measured[i]);
  }
  return predictions;
}

/// A functional test of one iteration, or a library that nobody tuned, is no calibration.
std::string far_text(double scale) {
  constexpr double kFar = 1.4;
  return scale > kFar || scale < 1 / kFar ? " (far from the profile: was it tuned and warm?)" : "";
}

std::string products(std::size_t n) { return fmt::format("{} product{}", n, n == 1 ? "" : "s"); }

}  // namespace

std::vector<TimedGemm> each_shape_once(const std::vector<TimedGemm>& all) {
  std::map<Gemm, std::size_t> first;
  std::map<Gemm, std::vector<double>> times;
  std::vector<TimedGemm> out;
  for (const TimedGemm& t : all) {
    if (first.emplace(t.gemm, out.size()).second) out.push_back(t);
    times[t.gemm].push_back(t.time.base());
  }
  for (TimedGemm& t : out) t.time = Seconds(median(times[t.gemm]));
  return out;
}

GemmCalibration calibrate_gemm(const std::vector<TimedGemm>& measured, const Accelerator& a,
                               Precision precision, double rate) {
  GemmCalibration c;
  c.family.name = fmt::format("gemm {}", name(precision));
  const auto old = scaled_surface(a, precision, rate, 1);
  for (const TimedGemm& t : measured) {
    std::string what = fmt::format("{} x {} x {}", t.gemm.m, t.gemm.n, t.gemm.k);
    if (t.gemm.batch > 1) what += fmt::format(", {} at once", t.gemm.batch);
    c.family.points.push_back({t.place, std::move(what), t.time, predicted(*old, t), {}});
  }
  const auto left_out = [&](const std::vector<Seconds>& predictions) {
    for (std::size_t i = 0; i < predictions.size(); ++i) {
      c.family.points[i].left_out = predictions[i];
    }
  };
  c.scale = fit_scale(measured, a, precision, rate);
  left_out(leave_one_out(measured, a, precision, rate));
  c.family.left_out_how = measured.size() > 1 ? "one at a time" : "";
  std::vector<TimedGemm> single;
  for (const TimedGemm& t : measured) {
    if (t.gemm.batch == 1) single.push_back(t);
  }
  if (single.size() < kFewestToFit || !a.peak.contains(precision)) {
    c.family.did = fmt::format("rate x {:.3f}{}: {}, a surface takes {}", c.scale,
                               far_text(c.scale), products(measured.size()), kFewestToFit);
    return c;
  }
  const double scaled_error = c.family.left_out().median;
  const std::vector<CalibratedPoint> scaled_points = c.family.points;
  left_out(leave_parts_out(measured, a, precision));
  const double fitted_error = c.family.left_out().median;
  if (fitted_error >= scaled_error) {
    c.family.points = scaled_points;
    c.family.did = fmt::format(
        "rate x {:.3f}: a surface of their own misses left-out products by {:.1f} %, this by "
        "{:.1f} %",
        c.scale, 100 * fitted_error, 100 * scaled_error);
    return c;
  }
  c.fit = fit_surface(single, a, precision);
  c.family.did = fmt::format("surface fitted to {}", products(single.size()));
  c.family.left_out_how = "a fifth at a time";
  return c;
}

}  // namespace forerun::hw
