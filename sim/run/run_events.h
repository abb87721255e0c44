#pragma once

/// One run in time, event by event, over days. A tick is a microsecond, so that sums are exact.
///
/// Between events the job computes: so many steps at the pace that phase, hour, slow nodes, a
/// shrunken machine and data leave it, a sum of steps drawn as one normal variate (mean n t,
/// standard deviation t times the jitter times sqrt(n)). It stops for checkpoints, evaluations,
/// stalls of data, maintenance, and for failures:
///
///   failure -> (detection) -> back to the newest checkpoint that outlives it -> (waiting for
///   nodes)
///           -> (restart and loading) -> computing
///
/// A checkpoint written behind the training counts when it is written; what fails before falls back
/// to the one before. Steps since are lost. Silent corruption is noticed late and costs all since;
/// what is never noticed costs no time (what it does to the loss is not modelled). Nodes that fail
/// are replaced by spares; what is lost comes back after `replacement`. While the job is down
/// machines fail on, which costs nodes and counts as no interruption; its software does not. Stops
/// that are announced (maintenance, planned causes, a notice long enough, a slow node's exchange)
/// are saved for: the training stands still until the state is in storage. Rollbacks for the loss's
/// sake happen once each, at their step, back to the newest checkpoint before it. A run is given up
/// after `longest`, or after 300,000 events.
///
/// Held constant over at most an hour: the hour of the day. Of several slow nodes the slowest
/// counts. Not modelled: two jobs on one machine, queues of a scheduler, repair crews, checkpoints
/// that turn out broken.

#include <cstdint>
#include <vector>

#include "sim/run/run_draw.h"
#include "sim/run/run_setup.h"

namespace forerun::sim {

/// A stretch of the run spent on one thing, for pictures and tests.
struct RunMoment {
  TimeUse use = TimeUse::training;
  Seconds begin{}, end{};
  double from_step = 0, to_step = 0;  ///< equal where no steps are done
  std::int32_t cause = -1;            ///< of the interruption, where there is one
};

/// Draw `draw` of the run; streams "run/DRAW/...". `moments`: filled if not null.
[[nodiscard]] RunDraw simulate_run_in_time(const RunSetup&, std::uint64_t seed, std::uint64_t draw,
                                           std::vector<RunMoment>* moments = nullptr);

}  // namespace forerun::sim
