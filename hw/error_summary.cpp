#include "hw/error_summary.h"

#include <algorithm>
#include <cmath>

#include "core/statistics.h"

namespace forerun::hw {

ErrorSummary summary(std::vector<double> errors) {
  if (errors.empty()) return {};
  for (double& e : errors) e = std::abs(e);
  std::ranges::sort(errors);
  const std::size_t n = errors.size();
  const auto rank = static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(n)));
  return {n, median(errors), mean(errors), errors[rank - 1]};
}

}  // namespace forerun::hw
