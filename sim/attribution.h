#pragma once

/// Where a rank's time goes: every tick of its compute stream, busy or idle, to one category.
///
/// An idle tick belongs to what the next operation was waiting for at that tick, found by walking
/// back through causes: while the awaited exchange ran, its category; before that, what the
/// exchange itself waited for; while the host was issuing, `host`; of a message from another rank,
/// its transfer is `pipeline_exchange` and the time before the transfer began is `bubble`; the time
/// between a member of a rendezvous being ready and the last one, `imbalance`, or where that one is
/// of another pipeline stage (at the end of a step stages meet), `bubble`. Ticks after the
/// rank's last work are `bubble` too, and `drain` says how many.
///
/// A message that waited for an earlier one on the sender's stream counts the earlier transfer as
/// exchange. Waiting for another rank's compute is `bubble` whatever made that rank late.

#include <array>
#include <cstdint>
#include <vector>

#include "sim/causality.h"
#include "sim/program.h"

namespace forerun::sim {

using CategoryTicks = std::array<std::int64_t, kCategories>;

/// Compute stream of a rank, idle from `begin` to `end`.
struct Idle {
  std::int64_t begin = 0, end = 0;
  Category category = Category::bubble;
  /// What was waited for: the exchange, the late member, the upstream operation; of the host, the
  /// operation that it had waited for. No rank when there is none.
  Place waited_for;
};

/// In ticks; busy + slowed + idle sum to the end of the step exactly.
struct RankTime {
  CategoryTicks busy{};    ///< durations of the compute stream's operations, by their category
  CategoryTicks slowed{};  ///< what taxes added to them, by the category of the taxing operation
  CategoryTicks idle{};    ///< by what was waited for
  std::int64_t drain = 0;  ///< of idle[bubble], after the rank's last operation
  std::int64_t end = 0;
  [[nodiscard]] std::int64_t total(Category) const;
};

/// All idle intervals of a rank's compute stream in order of time, neighbours with different
/// reasons. Idle time inside an operation that its host bounds counts from the end of its own work.
[[nodiscard]] std::vector<Idle> idle_intervals(const Causality&, std::int32_t rank);

[[nodiscard]] RankTime attribute(const Causality&, std::int32_t rank);

}  // namespace forerun::sim
