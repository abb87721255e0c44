#pragma once

/// Fits the constants of a PowerModel to a table of sustained products with board power: idle
/// power, energy an operation and a byte, so that the sustained clock's times and the power agree.

#include <vector>

#include "hw/accelerator.h"
#include "hw/kernel_table.h"

namespace forerun::hw {

struct PowerFit {
  PowerModel model;
  /// Over products of 10 GFLOP or more: median absolute relative errors of power and of time at the
  /// sustained clock, and of time at the burst clock for comparison.
  double power_error = 0, sustained_error = 0, burst_error = 0;
  /// Median of measured over predicted time at the burst clock for those the cap slows.
  double slowdown = 0;
  std::size_t rows = 0;
};

[[nodiscard]] PowerFit fit_power(const std::vector<GemmRow>& rows, const Accelerator& accelerator);

}  // namespace forerun::hw
