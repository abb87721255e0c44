#pragma once

/// What all accelerators cost for a time at the scenario's own price, nothing else: for a step, a
/// part of a run. A whole run's cost is sim/cost's.

#include <optional>

#include "core/quantity.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// Nothing unless all of them have a price.
[[nodiscard]] std::optional<Dollars> list_price(const Scenario&, Seconds);

}  // namespace forerun::sim
