#include "sim/engine.h"

#include <fmt/format.h>

#include <cmath>

namespace forerun::sim {

Tick to_ticks(Seconds time) {
  const double ticks = std::ceil(time.base() * kTicksPerSecond);
  FORERUN_ASSERT(ticks >= 0.0 && ticks < 0x1p63, fmt::format("{} s", time.base()));
  return Tick{static_cast<std::int64_t>(ticks)};
}

Seconds to_seconds(Tick tick) {
  return Seconds(static_cast<double>(count(tick)) / kTicksPerSecond);
}

}  // namespace forerun::sim
