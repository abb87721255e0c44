#pragma once

/// The law's file of a fit: constants with evidence `fitted`, the files of the runs as source, 90 %
/// intervals, and draws that keep the constants together.

#include "models/loss/fit/fit.h"

namespace forerun::models {

inline constexpr std::size_t kKeptDraws = 256;

/// `name` and `what` as the law's file states them; `from` is said as source of each constant.
[[nodiscard]] Law fitted_law(const Fit&, const Stages&, const std::string& name,
                             const std::string& what, const std::string& from);

}  // namespace forerun::models
