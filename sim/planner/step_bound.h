#pragma once

/// A time that no step of a plan beats, from the same priced lists that the simulator runs. Over
/// every rank r of the pipeline, the length of one path through its program:
///
///   fill(r) + busy(r) + max(end(r), drain(r) + end(0))
///
///   busy   all passes of r on its compute stream, each as long as its folded lists; between them
///          r's own messages, where the framework's next pass waits for those
///   fill   the first micro-batch's forward pass through the ranks before r, messages included
///   drain  the last micro-batch's backward pass back through them (not where backward passes are
///          split, nor under DualPipe, which has neither fill nor drain here)
///   end    the gradient exchange where it comes after the backward passes, the optimiser's update,
///          the bookkeeping between steps
///
/// Why it is a bound: begin and end of an operation (sim/program.h) are maxima of sums, operations
/// take their durations or longer (taxes, hosts that come late, links that are shared), and all of
/// the path's are in the program, each waiting for the one before it. What is left out is exchanges
/// that a plan may hide. Tested over random plans (sim/planner/step_bound.test.cpp).
///
/// Not bounded, so zero: jobs on several kinds of accelerators, networks as graphs, micro-batches
/// that differ.

#include "sim/layout.h"
#include "sim/scenario.h"
#include "sim/step_cache.h"
#include "sim/variation.h"

namespace forerun::sim {

[[nodiscard]] Seconds step_bound(const Scenario&, const Layout&, const Variation&, StepCache&);

}  // namespace forerun::sim
