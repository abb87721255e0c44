#pragma once

/// Statistics of small samples: what a scoreboard needs. All are deterministic; the bootstrap draws
/// from a named stream.

#include <cstdint>
#include <span>

#include "core/random.h"

namespace forerun {

/// Arithmetic mean. Asserts that there is a value.
[[nodiscard]] double mean(std::span<const double> values);
/// The p-quantile, 0 <= p <= 1, by linear interpolation between order statistics (definition 7 of
/// Hyndman and Fan 1996): the value at position p (n - 1) of the sorted sample. Asserts a value.
[[nodiscard]] double quantile(std::span<const double> values, double p);
/// quantile(values, 0.5).
[[nodiscard]] double median(std::span<const double> values);
/// Spearman's rank correlation: Pearson's of the ranks, equal values sharing their mean rank. In
/// [-1, 1]; 0 if either sample is constant. Asserts samples of one length, at least 2.
[[nodiscard]] double spearman(std::span<const double> x, std::span<const double> y);

struct Interval {
  double low = 0, high = 0;
};
/// Percentile bootstrap interval of the mean (Efron 1979): `draws` samples of the same size with
/// replacement, the (1 - level) / 2 and (1 + level) / 2 quantiles of their means.
[[nodiscard]] Interval bootstrap_mean(std::span<const double> values, double level,
                                      const Stream& stream, std::int64_t draws = 2000);

}  // namespace forerun
