#pragma once

/// The best parallel plans of a scenario: on a given machine, for a given model and batch.
///
/// Every plan of a space is checked by the rules of a scenario, its memory is walked, and a bound
/// of its step time taken (sim/planner/step_bound.h). Then plans are simulated, the least bound
/// first, until no plan is left that could beat those found: branch and bound, so the answer is
/// that of simulating all of them (tested). Simulated means step_time of sim/step.h.
///
/// The front holds the plans that no other beats in step time and in memory of the worst stage at
/// once. For each knob of the plan, the runner-up is the fastest plan with another value of that
/// knob than the best, whatever its other knobs are.
///
/// Where micro-batches or experts' loads differ, or exchanges share a network's links, plans are
/// searched as if none did, and those of the answer are then simulated as they are; a plan that
/// only that makes good is missed (PlanSearch::simplified).
///
/// Same answer for any number of threads: what a wave of simulations begins with does not depend on
/// them.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/planner/search_space.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// A plan that fits, and what it takes.
struct PlannedStep {
  Plan plan;
  Seconds time{};   ///< of a step, simulated
  Seconds bound{};  ///< what it could not beat
  Bytes memory{};   ///< held on the stage with the least left
  Bytes spare{};    ///< left there
};

/// What a knob of a plan is: for runner-ups.
enum class Knob : std::uint8_t {
  tensor,
  pipeline,
  context,
  experts,
  virtual_stages,
  schedule,
  micro_batch,
  sequence_parallel,
  sharding,
  recompute
};
inline constexpr int kKnobs = 10;
[[nodiscard]] const char* name(Knob);

struct SearchCounts {
  std::int64_t crossed = 0;       ///< combinations of the space's values
  std::int64_t same = 0;          ///< that say what another says
  std::int64_t refused = 0;       ///< that break a rule, or that the space leaves out
  std::int64_t too_big = 0;       ///< that do not fit in memory
  std::int64_t bounded_away = 0;  ///< that no simulation could have brought into the answer
  std::int64_t simulated = 0;
};

struct SearchOptions {
  int threads = 1;
  bool front = true;         ///< false: the best plan alone, and no runner-ups
  bool exhaustive = false;   ///< simulate every plan that fits, whatever its bound
  bool bounds_only = false;  ///< simulate none: to count, and to measure how fast that is
  /// Set to true by another thread, or by a signal: what was found so far is the answer.
  const std::atomic<bool>* stop = nullptr;
  /// Done so far and in all, of the phase "bounding" or "simulating".
  std::function<void(const char* phase, std::size_t done, std::size_t all)> progress;
};

struct PlanSearch {
  std::vector<PlannedStep> front;  ///< fastest first; empty: no plan fits
  struct RunnerUp {
    Knob knob = Knob::tensor;
    PlannedStep step;
  };
  std::vector<RunnerUp> runners_up;  ///< fastest first; knobs of which there is another value
  /// The scenario's own plan, where it fits, simulated beside the others.
  std::optional<PlannedStep> own;
  SearchCounts counts;
  std::map<std::string, std::int64_t> refusals;  ///< of `refused`, by the field whose rule broke
  /// Where nothing fits: the plan with the least too much, and how much.
  std::optional<Plan> nearest;
  Bytes over{};
  bool complete = true;     ///< false: stopped before it was done
  bool simplified = false;  ///< searched as if nothing were uneven or shared
  [[nodiscard]] const PlannedStep& best() const { return front.front(); }
};

[[nodiscard]] PlanSearch search_plans(const Scenario&, const SearchSpace&, const SearchOptions&);

/// Whether two plans have the same value of a knob.
[[nodiscard]] bool same_knob(Knob, const Plan&, const Plan&);

}  // namespace forerun::sim
