#pragma once

/// What an operator may change about a run that would fail. Private to stability.

#include <string>
#include <vector>

#include "models/stability/stability_case.h"

namespace forerun::stability {

struct Change {
  std::string what;
  StabilityCase with;
};

/// Each alone, of those that the case does not have already.
[[nodiscard]] std::vector<Change> changes(const StabilityCase&);

}  // namespace forerun::stability
