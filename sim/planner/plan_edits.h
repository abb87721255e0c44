#pragma once

/// The --set words that make one plan of another.

#include <string>
#include <vector>

#include "sim/plan.h"

namespace forerun::sim {

/// "plan.tensor=8", "plan.recompute={...}", for each value that differs.
[[nodiscard]] std::vector<std::string> plan_edits(const Plan& from, const Plan& to);

}  // namespace forerun::sim
