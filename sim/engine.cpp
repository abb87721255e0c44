#include "sim/engine.h"

#include <fmt/format.h>

#include <cmath>

namespace forerun::sim {
namespace {

constexpr const char* kHint =
    "look for a bandwidth that is too small, or a batch, a sequence or an overhead of the "
    "framework "
    "that is too large";

}  // namespace

Tick to_ticks(Seconds time) {
  FORERUN_ASSERT(time.base() >= 0.0, fmt::format("{} s", time.base()));
  if (time > kLongestOperation) {
    throw Error(ExitCode::wrong,
                fmt::format("one operation of the step takes {:.4g} s; at most {} s are simulated",
                            time.base(), kLongestOperation.base()),
                kHint);
  }
  return Tick{static_cast<std::int64_t>(std::ceil(time.base() * kTicksPerSecond))};
}

Seconds to_seconds(Tick tick) {
  return Seconds(static_cast<double>(count(tick)) / kTicksPerSecond);
}

void check_length(double ticks) {
  if (ticks < kMostTicks) return;
  throw Error(
      ExitCode::wrong,
      fmt::format("the step's operations take {:.3g} days, one after the other; less than "
                  "{:.0f} are simulated",
                  ticks / kTicksPerSecond / 86400.0, kMostTicks / kTicksPerSecond / 86400.0),
      kHint);
}

}  // namespace forerun::sim
