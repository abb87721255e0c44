#include "hw/power.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"

namespace forerun::hw {

double expected_maximum(std::int64_t n) {
  FORERUN_ASSERT(n >= 1, fmt::format("{} chips", n));
  if (n == 1) return 0;
  const double p = 0.625 / (static_cast<double>(n) + 0.25);  // upper tail
  const double t = std::sqrt(-2.0 * std::log(p));
  return t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                 (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

PowerModel hungriest(const PowerModel& model, double chip_spread, std::int64_t n) {
  PowerModel m = model;
  m.per_flop = model.per_flop * (1.0 + 3.0 * chip_spread * expected_maximum(n));
  return m;
}

Watts mean_power(const PowerModel& model, const PowerWindow& w, double clock) {
  FORERUN_ASSERT(clock > 0 && clock <= 1, fmt::format("clock {}", clock));
  const Seconds time = w.compute_bound / clock + w.other;
  if (!(time > Seconds(0))) return model.idle;
  const Joules dynamic =
      w.flops.base() * model.per_flop * (clock * clock) + w.bytes.base() * model.per_byte;
  return model.idle + dynamic / time;
}

double sustained_clock(const PowerModel& model, const PowerWindow& w) {
  FORERUN_ASSERT(w.compute_bound >= Seconds(0) && w.other >= Seconds(0),
                 fmt::format("{} s compute, {} s other", w.compute_bound.base(), w.other.base()));
  if (mean_power(model, w, 1) <= model.cap) return 1;
  // Power rises with the clock: bisection, to a relative 2^-40.
  double low = model.least_clock, high = 1;
  if (mean_power(model, w, low) > model.cap) return low;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (mean_power(model, w, middle) <= model.cap ? low : high) = middle;
  }
  return low;
}

double energy_weight(Precision p) {
  switch (p) {
    case Precision::fp32:
      return 4;
    case Precision::tf32:
      return 2;
    case Precision::bf16:
    case Precision::fp16:
      return 1;
    case Precision::fp8:
    case Precision::mxfp8:
    case Precision::fp8_block:
      return 0.5;
    case Precision::nvfp4:
      return 0.25;
  }
  FORERUN_ASSERT(false, fmt::format("precision {}", static_cast<int>(p)));
}

double energy_weight(const Kernel& kernel) {
  if (const auto* product = std::get_if<Gemm>(&kernel)) return energy_weight(product->precision);
  const auto* grouped = std::get_if<GroupedGemm>(&kernel);
  return grouped != nullptr ? energy_weight(grouped->precision) : 1.0;
}

}  // namespace forerun::hw
