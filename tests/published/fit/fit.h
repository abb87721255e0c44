#pragma once

/// The fit of all constants, and the same with each family left out.

#include <string>
#include <vector>

#include "core/statistics.h"
#include "search.h"

namespace forerun::published {

struct Fit {
  Values values;
  Feeling feeling;
  Parameters parameters;
};

/// Rows with that split.
[[nodiscard]] Rows rows_of_split(const Predictor&, const std::string& split);
/// Those without experts: the others take no part in the fit of the constants of constants.json.
[[nodiscard]] Rows without_experts(const Predictor&, const Rows&);
/// At most kRowsPerGroup of each group's rows, evenly spaced in the file's order: a group weighs
/// the same whatever its size, and its rows tell much the same.
inline constexpr std::size_t kRowsPerGroup = 8;
[[nodiscard]] Rows thinned(const Predictor&, const Rows&);

[[nodiscard]] Fit fit(Predictor&, const Rows& fitted_rows);

/// A row predicted by constants that its family had no part in.
struct LeftOut {
  std::size_t row = 0;
  double log_error = 0;  ///< ln(predicted / measured)
};

struct LeftOutGroup {
  std::string name, family;
  std::size_t rows = 0;
  double error = 0;  ///< mean |predicted / measured - 1|
};

struct CrossValidation {
  std::vector<LeftOut> rows;
  std::vector<LeftOutGroup> groups;  ///< by name
  double mean_over_groups = 0;
  /// 90 % bootstrap interval of it: families are drawn with replacement, with all their groups.
  Interval over_families;
};

/// Rows that no fit saw, predicted by `values`.
[[nodiscard]] CrossValidation predict_unfitted(Predictor&, const Rows& rows, const Values& values);

/// Rows that were not fitted are predicted by `full`. A fitted family is predicted by a fit without
/// it: of the constants that its rows feel, from where `full` has them; the others stay.
///
/// `fitted_rows` are without experts. The constants of experts (experts.h) are fitted here, with
/// the others as `full` has them, on the rows with experts whose split is "fit": on all of them for
/// the tested rows with experts, and without a family for that one.
[[nodiscard]] CrossValidation cross_validate(Predictor&, const Rows& fitted_rows, const Fit& full);

}  // namespace forerun::published
