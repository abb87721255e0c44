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
constexpr double kLeastRamp = 0.01, kMostRamp = 1000;  ///< us

Seconds modelled(const TimedKernels& t, const Accelerator& a) {
  Seconds sum{};
  for (const Kernel& kernel : t.kernels) sum += kernel_time(kernel, a).time;
  return sum;
}

/// The ramp alone, as nothing else of these kernels is written into a profile.
Seconds fit_ramp(const std::vector<TimedKernels>& measured, Accelerator a) {
  const auto ramp = [](double p) {
    return Seconds(1e-6 * std::clamp(std::exp(p), kLeastRamp, kMostRamp));
  };
  const auto loss = [&](const std::vector<double>& p) {
    if (p[0] < std::log(kLeastRamp) || p[0] > std::log(kMostRamp)) return 1e9;
    a.memory_ramp = ramp(p[0]);
    double sum = 0;
    for (const TimedKernels& t : measured) sum += robust(std::log(modelled(t, a) / t.time), kFar);
    return sum;
  };
  return ramp(minimise({std::log(2.0)}, {0.2}, loss, kRounds)[0]);
}

CalibratedPoint point_of(const TimedKernels& t, const Accelerator& a) {
  Bytes bytes{};
  for (const Kernel& kernel : t.kernels) bytes += traffic(kernel);
  return {t.place, fmt::format("{}, {}", t.family, size_text(bytes)), t.time, modelled(t, a), {}};
}

}  // namespace

MemoryCalibration calibrate_memory(const std::vector<TimedKernels>& measured, const Accelerator& a,
                                   const Accelerator& changed) {
  MemoryCalibration c;
  c.family.name = "bound by memory";
  for (const TimedKernels& t : measured) c.family.points.push_back(point_of(t, a));
  if (measured.size() < kFewestMemoryBound) {
    c.family.did = fmt::format("compared only: {} kernels are too few ({})", measured.size(),
                               kFewestMemoryBound);
    return c;
  }
  Accelerator now = changed;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    std::vector<TimedKernels> others = measured;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    now.memory_ramp = fit_ramp(others, now);
    c.family.points[i].left_out = modelled(measured[i], now);
  }
  c.ramp = fit_ramp(measured, now);
  c.family.left_out_how = "one at a time";
  c.family.did = fmt::format("ramp {} at the profile's {} of the bandwidth", show(*c.ramp),
                             show_percent(changed.memory_efficiency));
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
