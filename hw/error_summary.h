#pragma once

/// Relative errors of predictions in a few numbers.

#include <cstddef>
#include <vector>

namespace forerun::hw {

/// Of |errors|: median (of an even number, the mean of the middle two), mean, and 95th percentile
/// by nearest rank. Zeros for none.
struct ErrorSummary {
  std::size_t count = 0;
  double median = 0, mean = 0, p95 = 0;
};
[[nodiscard]] ErrorSummary summary(std::vector<double> errors);

}  // namespace forerun::hw
