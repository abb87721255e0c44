#include "hw/calibrate/memory_family.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/table.h"
#include "hw/fit/minimise.h"
#include "hw/kernel_time.h"

namespace forerun::hw {
namespace {

constexpr double kFar = 0.3;
constexpr int kRounds = 60;

struct MemoryModel {
  Seconds ramp{};
  double efficiency = 1;
};

Seconds predicted(const MemoryModel& m, const TimedKernels& t, const Accelerator& a) {
  return m.ramp + traffic(t.kernels.front()) / (m.efficiency * a.memory_bandwidth);
}

MemoryModel fit_memory(const std::vector<TimedKernels>& measured, const Accelerator& a) {
  const auto unpack = [](const std::vector<double>& p) {
    return MemoryModel{Seconds(1e-6 * std::exp(p[0])), std::exp(p[1])};
  };
  const auto loss = [&](const std::vector<double>& p) {
    if (p[1] > 0) return 1e9 * (1 + p[1]);  // no more than the bandwidth
    double sum = 0;
    for (const TimedKernels& t : measured) {
      sum += robust(std::log(predicted(unpack(p), t, a) / t.time), kFar);
    }
    return sum;
  };
  return unpack(minimise({std::log(2.0), std::log(0.85)}, {0.2, 0.05}, loss, kRounds));
}

Seconds modelled(const TimedKernels& t, const Accelerator& a) {
  Seconds sum{};
  for (const Kernel& kernel : t.kernels) sum += kernel_time(kernel, a).time;
  return sum;
}

CalibratedPoint point_of(const TimedKernels& t, const Accelerator& a) {
  Bytes bytes{};
  for (const Kernel& kernel : t.kernels) bytes += traffic(kernel);
  return {t.place, fmt::format("{}, {}", t.family, size_text(bytes)), t.time, modelled(t, a), {}};
}

}  // namespace

MemoryCalibration calibrate_memory(const std::vector<TimedKernels>& measured,
                                   const Accelerator& a) {
  MemoryCalibration c;
  c.family.name = "bound by memory";
  for (const TimedKernels& t : measured) c.family.points.push_back(point_of(t, a));
  if (measured.size() < kFewestMemoryBound) {
    c.family.did = fmt::format("compared only: {} kernels are too few ({})", measured.size(),
                               kFewestMemoryBound);
    return c;
  }
  for (std::size_t i = 0; i < measured.size(); ++i) {
    std::vector<TimedKernels> others = measured;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    c.family.points[i].left_out = predicted(fit_memory(others, a), measured[i], a);
  }
  const MemoryModel m = fit_memory(measured, a);
  c.ramp = m.ramp;
  c.efficiency = m.efficiency;
  c.family.left_out_how = "one at a time";
  c.family.did =
      fmt::format("ramp {}, {} of the bandwidth", show(m.ramp), show_percent(m.efficiency));
  return c;
}

std::vector<CalibratedFamily> compare_kernels(const std::vector<TimedKernels>& measured,
                                              const Accelerator& a) {
  std::map<std::string, CalibratedFamily> families;
  for (const TimedKernels& t : measured) {
    CalibratedFamily& f = families[t.family];
    f.name = t.family;
    f.did = "compared only: the profile has no number of its own for it";
    f.points.push_back(point_of(t, a));
  }
  std::vector<CalibratedFamily> all;
  for (auto& [name, family] : families) all.push_back(std::move(family));
  return all;
}

}  // namespace forerun::hw
