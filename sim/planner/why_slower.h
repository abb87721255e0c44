#pragma once

/// What of a step takes longer under one plan than under another: the whole cluster's time, as the
/// mean over the pipeline's ranks, by what it is for.

#include <array>
#include <vector>

#include "sim/program.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// Sums to the step's time; compute, recompute, each exchange that is not hidden, bubble ...
using MeanBreakdown = std::array<Seconds, kCategories>;
/// By simulate_step (sim/step.h).
[[nodiscard]] MeanBreakdown mean_breakdown(const Scenario&);

struct TimeDifference {
  Category category = Category::compute;
  Seconds longer{};  ///< below zero: shorter
};
/// What sets `slower` apart, the most first; what differs by less than a thousandth of the step is
/// left out.
[[nodiscard]] std::vector<TimeDifference> differences(const MeanBreakdown& faster,
                                                      const MeanBreakdown& slower);

}  // namespace forerun::sim
