#pragma once

/// The orders of the schedules that split backward passes (sim/schedule.h). Private to sim/.

#include <cstdint>
#include <vector>

#include "sim/schedule.h"

namespace forerun::sim {

/// Rank r warms up as 1F1B does. Then a forward and an input gradient in turn, each pair followed,
/// from the r-th on, by the weight gradients of the oldest micro-batch: r wait at a time, which
/// with the p - r that are on their way makes p on every rank. At the end input and weight
/// gradients take turns, and what waits comes last.
[[nodiscard]] std::vector<ScheduledPass> zero_bubble_h1(const PipelineShape&, std::int64_t rank);

/// Of ranks r and p - 1 - r the same, but for the micro-batches.
[[nodiscard]] std::vector<ScheduledPass> dualpipe(const PipelineShape&, std::int64_t rank);

}  // namespace forerun::sim
