#pragma once

/// Least Huber loss of the residuals of log loss (Hoffmann et al. 2022, section 3.3), by
/// Levenberg-Marquardt within bounds (Ceres), from one start or from many.
///
///   sum over terms of w H(r),  H(r) = r^2 / 2 up to |r| = delta, then delta (|r| - delta / 2)
///
/// Not modelled: errors of the inputs; noise that grows or falls with the loss, other than by the
/// terms' weights.

#include <cstdint>
#include <vector>

#include "models/loss/fit/model.h"

namespace forerun::models {

struct Minimum {
  std::vector<double> constants;
  double cost = 0;
  bool converged = false;
};

/// `weights`: of each block, on top of the terms' own; empty: all 1.
[[nodiscard]] double huber_cost(const Model&, std::span<const double> constants,
                                std::span<const double> weights, double delta);
[[nodiscard]] Minimum minimise_from(const Model&, std::vector<double> start,
                                    std::span<const double> weights, double delta,
                                    int iterations = 400);

/// The best of many: `screened` draws of the constants in which the formula is not linear (the
/// others by least squares), of which the best `tried` are minimised from. The share of those that
/// came to the best's cost (within a thousandth, or to residuals of a millionth) tells how sure one
/// can be of it.
struct Search {
  std::uint64_t seed = 0;
  int screened = 1000, tried = 16;
};
struct Found {
  Minimum best;
  double agreeing = 0;
};
[[nodiscard]] Found minimise_many(const Model&, double delta, const Search&);

}  // namespace forerun::models
