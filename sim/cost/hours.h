#pragma once

/// Means over the hours of a run of what differs by the hour of the day.

#include <array>

#include "core/quantity.h"
#include "hw/site.h"

namespace forerun::sim {

/// Mean of `by_hour` over `duration` from `start_hour` (0 to 24) of a day on: the exact integral of
/// the steps, whole days and parts of hours included. For no duration, the value at its start.
///
///   1/T integral from h to h + T of by_hour[floor(t) mod 24] dt
[[nodiscard]] double mean_over_hours(const std::array<double, hw::kHours>& by_hour,
                                     double start_hour, Seconds duration);

}  // namespace forerun::sim
