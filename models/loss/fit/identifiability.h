#pragma once

/// What runs can and cannot tell, and which run would tell more. From the derivatives J of the
/// predicted log losses by the fitted variables at the fit: information F = J^T W J / scatter^2,
/// covariance its inverse. A run that could be done adds its own row to F.
///
/// Not modelled: that the formula may be wrong; that J changes away from the fit. So the intervals
/// are the bootstrap's, and F only says by how much they would narrow.

#include <optional>
#include <string>
#include <vector>

#include "models/loss/fit/fit.h"

namespace forerun::models {

struct Correlation {
  std::string one, other;
  double value = 0;
};

struct Identifiability {
  double condition =
      0;  ///< of J with columns of length 1; 1: independent, 1e6: one direction unseen
  std::vector<double> standard_errors;  ///< of the fitted variables, 0 for one at its limit
  std::vector<Correlation> correlated;  ///< over 0.95 in size
  std::vector<std::string> unseen;      ///< constants that the runs do not bear upon together
};
[[nodiscard]] Identifiability identifiability(const Model&, const StageFit&);

/// The widest interval of a stage as a share of the constant; the place of its constant.
struct Weakest {
  std::size_t constant = 0;
  double relative_width = 0;
};
[[nodiscard]] Weakest weakest_constant(const StageFit&);

struct NextRun {
  DesignPoint point;
  double flops = 0;      ///< 6 N D
  Interval weakest;      ///< what the weakest constant's interval would become
  double narrower = 0;   ///< its width by the width now, of the fitted variable
  double all_share = 0;  ///< volume of the region of all constants by now's (D-optimality)
};
/// The runs, of at most `budget` FLOPs each, that would narrow the weakest constant's interval most
/// (c-optimal), best first; sizes and tokens at most four times beyond those of the runs, no two of
/// the same size and tokens. Empty for curves.
[[nodiscard]] std::vector<NextRun> next_runs(const Stage&, const StageFit&, const ConstantValues&,
                                             double budget, std::size_t most);

/// What the user must know of the fit, in words.
[[nodiscard]] std::vector<std::string> fit_warnings(const Stages&, const Fit&);

}  // namespace forerun::models
