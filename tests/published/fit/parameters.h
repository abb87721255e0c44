#pragma once

/// Which constants the rows can tell, and who shares them.
///
/// A constant of the cores is one for all accelerators of a generation. Another constant of a
/// subject is fitted if the fitted rows that feel it are of kLeastGroups or more groups. Else the
/// subject takes, in standard deviations from its own start value, what is fitted for the
/// accelerator of its generation with most groups, or for its nearest relative framework (and that
/// one's relative, and so on), and its rows are fitted with it. A generation none of whose
/// accelerators has enough groups shares one constant. What then still rests on too few groups
/// keeps its start value.

#include <set>
#include <string>
#include <vector>

#include "predictor.h"

namespace forerun::published {

inline constexpr std::size_t kLeastGroups = 3;
/// A row feels a constant if three standard deviations of the prior change its time by more.
inline constexpr double kFelt = 5e-3;

/// By index of the constant, by row.
using Feeling = std::vector<std::vector<bool>>;
[[nodiscard]] Feeling feeling(Predictor&, const Rows&, const Values& at);

struct Parameter {
  std::size_t constant = 0;  ///< index into the catalogue
  std::string owner;
  std::vector<std::string> members;  ///< who takes it, the owner among them
  std::set<std::string> groups, families;
  Rows rows;  ///< that feel it
};

struct Parameters {
  std::vector<Parameter> fitted;
  /// Subjects that keep their start value, by index of the constant.
  std::vector<std::set<std::string>> unfitted;
};

[[nodiscard]] Parameters choose_parameters(const Predictor&, const Rows& fitted_rows,
                                           const Feeling&);

/// The values with the parameter at z standard deviations, for all its members.
void set(Values&, const Catalogue&, const Parameter&, double z);
[[nodiscard]] double z_of(const Values&, const Catalogue&, const Parameter&);

}  // namespace forerun::published
