#include "hw/fit/power_fit.h"

#include <algorithm>
#include <cmath>

#include "core/statistics.h"
#include "hw/error_summary.h"
#include "hw/fit/minimise.h"
#include "hw/kernel_time.h"
#include "hw/power.h"

namespace forerun::hw {

namespace {

constexpr int kRounds = 60;
constexpr double kFar = 0.15;
constexpr double kPowerWeight = 0.5;  ///< of an error of power against one of time
constexpr double kLarge = 1e10;       ///< operations: below, launches and not power decide

struct Run {
  KernelTime burst;
  PowerWindow window;
  Seconds time{};
  Watts power{};
  bool large = false;
};

}  // namespace

PowerFit fit_power(const std::vector<GemmRow>& rows, const Accelerator& accelerator) {
  std::vector<Run> runs;
  for (const GemmRow& r : rows) {
    const Kernel kernel = Gemm{r.m, r.n, r.k, Precision::bf16};
    const KernelTime t = kernel_time(kernel, accelerator);
    runs.push_back({t,
                    {flops(kernel), traffic(kernel), t.compute_bound, t.time - t.compute_bound},
                    r.time,
                    r.power,
                    flops(kernel).base() >= kLarge});
  }
  const Watts idle = std::ranges::min(rows, {}, &GemmRow::power).power;
  const auto unpack = [&](const std::vector<double>& p) {
    PowerModel m = accelerator.power;
    m.idle = idle;
    m.per_flop = Joules(std::exp(p[0]) * 1e-12);
    m.per_byte = Joules(std::exp(p[1]) * 1e-12);
    return m;
  };
  const auto loss = [&](const std::vector<double>& p) {
    const PowerModel m = unpack(p);
    double sum = 0;
    for (const Run& r : runs) {
      const double clock = sustained_clock(m, r.window);
      sum += robust(std::log(at_clock(r.burst, clock) / r.time), kFar) +
             kPowerWeight * robust(std::log(mean_power(m, r.window, clock) / r.power), kFar);
    }
    return sum / static_cast<double>(runs.size());
  };
  PowerFit fit;
  fit.model = unpack(minimise({std::log(0.5), std::log(30.0)}, {0.2, 0.2}, loss, kRounds));
  fit.rows = runs.size();
  std::vector<double> power, sustained, burst, slowdown;
  for (const Run& r : runs) {
    if (!r.large) continue;
    const double clock = sustained_clock(fit.model, r.window);
    power.push_back(mean_power(fit.model, r.window, clock) / r.power - 1);
    sustained.push_back(at_clock(r.burst, clock) / r.time - 1);
    burst.push_back(r.burst.time / r.time - 1);
    if (clock < 1) slowdown.push_back(r.time / r.burst.time);
  }
  fit.power_error = summary(power).median;
  fit.sustained_error = summary(sustained).median;
  fit.burst_error = summary(burst).median;
  if (!slowdown.empty()) fit.slowdown = median(slowdown);
  return fit;
}

}  // namespace forerun::hw
