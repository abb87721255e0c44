#pragma once

/// The fit. What is made small is
///
///   mean over groups of the mean over a group's rows of rho(ln(predicted / measured))
///     + kPriorWeight / groups x sum over fitted constants of z^2,
///
/// rho(e) = sqrt(e^2 + d^2) - d, d = kSoft: the absolute error, smooth at zero. The group mean
/// keeps a sweep of many rows from ruling; the prior decides only what the rows leave open.
///
/// Blocks (the constants of one accelerator, or of one framework) are searched in turn,
/// re-simulating the rows that feel them: first a scan of each constant over its range, then a
/// compass search (steps along each axis and along the diagonal of two, halved when none helps).
/// Rounds over all blocks end when one improves the whole by less than kEnough.

#include "parameters.h"

namespace forerun::published {

inline constexpr double kPriorWeight =
    0.002;  ///< one standard deviation is worth 0.2 % in one group
inline constexpr double kSoft = 0.005;
inline constexpr double kEnough = 1e-4;

struct SearchOptions {
  int rounds = 6;
  bool scan =
      true;  ///< in the first round; without, the compass search starts where the values are
};

/// Fits the parameters on `rows`, from `values`. With `only`, blocks of which no parameter's owner
/// is named in it stay as they are.
[[nodiscard]] Values search(Predictor&, const Rows& rows, const Parameters&, Values values,
                            const SearchOptions&, const std::set<std::string>* only = nullptr);

/// Mean over groups of the mean absolute relative error of step time, predicted / measured - 1.
[[nodiscard]] double mean_error(Predictor&, const Rows&, const Values&);

}  // namespace forerun::published
