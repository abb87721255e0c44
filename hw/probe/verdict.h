#pragma once

/// From samples to a point, and whether a result was right.

#include <span>
#include <string>

#include "hw/probe/measurement_file.h"

namespace forerun::hw {

/// Median and interquartile range of samples, in seconds of one call. Asserts a sample.
struct ProbeSummary {
  Seconds median{}, spread{};
};
[[nodiscard]] ProbeSummary summarise(std::span<const double> samples);

/// Largest |got - exact| over the largest |exact|; infinite if a value is not finite, or if the
/// sizes differ. 0 for two empty lists or equal ones.
[[nodiscard]] double largest_error(std::span<const double> got, std::span<const double> exact);

/// Above which error a result is wrong and its time worth nothing. Results are rounded once to
/// their format (unit roundoff 2^-8 for bf16, 2^-11 for fp16) and sums of k products of rounded
/// inputs lose a little more; the bound is 4 roundings, 8 of bf16 for attention's backward pass.
/// tf32 rounds its inputs (2^-11): 8 of these. 8-bit inputs are exact here, the checks use what was
/// rounded, but hardware accumulates fewer bits: 2^-6. Copies and gathers must be exact.
[[nodiscard]] double probe_tolerance(const ProbeShape&);

/// Empty if right; otherwise why the point is left out.
[[nodiscard]] std::string wrong_result(const ProbeShape&, double error);

}  // namespace forerun::hw
