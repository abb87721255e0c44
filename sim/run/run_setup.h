#pragma once

/// A scenario as the simulation of its days needs it: plain numbers, each once. Made from a
/// scenario, its simulated steps and its loss's spikes; tests make their own.
///
/// Simplified: a checkpoint holds optimiser states of all parameters, frozen ones too; loading
/// reads it once, though replicas that are not sharded each read the weights; a machine that shrank
/// runs a ramp's smaller batches as slowed as the full one.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/problem.h"
#include "core/range.h"
#include "sim/error_band.h"
#include "sim/run_loss.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// From `from_step` on, a step takes so long on a healthy machine: a batch ramp's and a stage's
/// steps differ.
struct RunPhase {
  double from_step = 0;
  Seconds step{};
  double tokens_per_step = 0;
  Seconds data{};  ///< that data take to load, beside the step; longer than it: training waits
  bool operator==(const RunPhase&) const = default;
};

/// A tier as the run feels it.
struct TierTimes {
  std::string name;
  double every_steps = 0;
  Seconds blocked{};  ///< training stands still
  Seconds behind{};   ///< then until it counts; a failure before loses it
  Seconds load{};     ///< reading it back
  Survives survives = Survives::all;
  bool slow = true;  ///< a checkpoint in storage, counted and kept; else only the last one is
  bool operator==(const TierTimes&) const = default;
};

struct RunSetup {
  double steps = 0;              ///< of the whole run
  std::vector<RunPhase> phases;  ///< by rising from_step, the first at 0
  std::vector<TierTimes> tiers;
  std::int64_t nodes = 1, spares = 0;
  std::int64_t replicas = 1;             ///< data-parallel
  double micro_batches = 1, stages = 1;  ///< of one replica: for what a smaller machine takes
  double reference_nodes = 1;            ///< that the rates speak of
  hw::Reliability reliability;
  Range detection, restart, replacement;
  WhenShort when_short = WhenShort::wait;
  Operations::Evaluation evaluation;
  Operations::Maintenance maintenance;
  double diurnal = 0, step_jitter = 0;
  std::optional<hw::Stragglers> stragglers;
  double stalls_per_second = 0;
  Range stall;
  /// Of the step time's error: quantiles of ln(measured / predicted) at 10 and 90 %; zeros: none.
  double error_low = 0, error_high = 0;

  /// One list for each of some draws of the loss's spikes; draw d of the run takes list d modulo
  /// their number. Empty: no rollbacks.
  std::vector<std::vector<Rollback>> rollbacks;
  Seconds longest{};  ///< a run is given up after so long
  std::vector<std::string> assumptions;
};

/// Of the whole state, in storage.
[[nodiscard]] Bytes checkpoint_bytes(const Scenario&);
/// `mean`: between interruptions; nothing where nothing fails (then every six hours). Where the
/// interval is not stated it is Daly's, but not shorter than the writing takes, nor, in storage,
/// than five minutes.
[[nodiscard]] TierTimes tier_times(const Scenario&, const CheckpointTier&, Seconds step,
                                   std::optional<Seconds> mean);
/// Between failures that cost steps, at mean rates: not those that are announced in time for a
/// checkpoint; of silent ones those that are noticed. Nothing where there are none.
[[nodiscard]] std::optional<Seconds> mean_time_to_loss(const RunSetup&);
/// All steps one after another, waiting for their data, and nothing else.
[[nodiscard]] Seconds undisturbed(const RunSetup&);
/// No run that would take longer undisturbed is simulated.
inline constexpr Seconds kLongestRun{1000 * 365.25 * 86400};

/// `step`: of a full batch, already simulated; steps of a ramp's or a stage's other batches are
/// simulated here. Asserts that the scenario has tokens. Throws Error for a run of over
/// kLongestRun. Batches of a ramp are rounded to whole micro-batches of all replicas, their
/// tokens too.
[[nodiscard]] RunSetup run_setup(const Scenario&, Seconds step, const std::optional<RunLoss>&);

}  // namespace forerun::sim
