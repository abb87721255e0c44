#pragma once

/// What a step takes longer because work is uneven: routed experts, and the compositions of
/// micro-batches.
///
///   experts      = T(as simulated) - T(balanced loads, the same compositions)
///   compositions = T(balanced loads, the same compositions) - T(the same, spread evenly)
///
/// Spread evenly, each operation of a stage lasts as long as it does on the mean over lanes, and,
/// where that is quicker still, the passes of all micro-batches of a stage as long as their mean.
/// The same work in all; only its distribution is another. Neither cost is below zero but by
/// rounding: an operation lasts no less for more rows, and a step's end is a maximum of sums of
/// durations, so it is convex in them; lanes are interchangeable, and the mean over all their
/// orders is no later than each order, which all end alike. (Taxes and hosts that wait in some
/// lanes only could break the rule by a little.) Under DualPipe two passes that run together count
/// as the forward one's micro-batch.
///
/// This is not T - T(Scenario::mean_compositions): products run at other rates on other shapes, so
/// a step of mean compositions may be slower than one of those drawn. Not counted: differences
/// between the replicas inside a lane, of which the slowest is simulated (sim/variation.h).

#include "sim/scenario.h"

namespace forerun::sim {

struct ImbalanceCost {
  bool uneven_experts = false, uneven_compositions = false;
  Seconds experts{}, compositions{};
  [[nodiscard]] Seconds total() const { return experts + compositions; }
};

/// `step`: step_time(scenario), which the caller has. Simulates nothing where nothing is uneven.
[[nodiscard]] ImbalanceCost imbalance_cost(const Scenario&, Seconds step);

}  // namespace forerun::sim
