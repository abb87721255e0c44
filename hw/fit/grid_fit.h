#pragma once

/// Fits a ResidualGrid to scattered values: penalised least squares,
///
///   sum_i w_i (grid(x_i) - y_i)^2 + penalty (integral of squared second derivatives) + ridge
///   |v|^2,
///
/// reweighted so that values farther than `outlier` count by their distance and not its square
/// (Huber), solved by conjugate gradients. The penalty carries what is known into gaps.

#include <array>
#include <vector>

#include "hw/residual_grid.h"

namespace forerun::hw {

struct GridSample {
  std::array<double, 3> at{};
  double value = 0, weight = 1;
};

struct GridSmoothing {
  double penalty = 0.1;
  double ridge = 0.01;
  double outlier = 0.03;
  int reweightings = 6;
};

/// Values are rounded to thousandths, as surface files hold them.
[[nodiscard]] ResidualGrid fit_grid(const std::array<std::vector<double>, 3>& knots,
                                    const std::vector<GridSample>& samples,
                                    const GridSmoothing& smoothing);

}  // namespace forerun::hw
