#pragma once

/// Time of a run: integer microseconds (a step's are picoseconds, sim/engine.h), so that what a run
/// is spent on sums exactly to its length.

#include <cmath>
#include <cstdint>

namespace forerun::sim {

inline constexpr double kRunTicksPerSecond = 1e6;

/// Rounded up: work ends no earlier than it does.
[[nodiscard]] inline std::int64_t run_ticks(double seconds) {
  return static_cast<std::int64_t>(std::ceil(seconds * kRunTicksPerSecond));
}
[[nodiscard]] inline double run_seconds(std::int64_t ticks) {
  return static_cast<double>(ticks) / kRunTicksPerSecond;
}

}  // namespace forerun::sim
