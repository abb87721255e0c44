#pragma once

/// One training step of a scenario: kernels priced on the hardware, folded into chunks, run by
/// events, and the answer taken apart.
///
/// `rank` and `by_rank` go through the stages of the first lane, then those of the next.
///
/// Folding: ranks that do the same thing are simulated once (tensor and context peers,
/// data-parallel replicas), and runs of kernels that nothing interrupts are one operation whose
/// inner times were simulated once. Detail::kernels issues every kernel of every micro-batch as an
/// event and gives the same answer (tested to the rounding of a folded run).

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/compile.h"
#include "sim/contention.h"
#include "sim/memory.h"
#include "sim/owned_work.h"
#include "sim/program.h"
#include "sim/scenario.h"

namespace forerun::sim {

class StepCache;  // sim/step_cache.h

/// What a kind of operation contributed to the compute stream's time of one rank.
struct KernelShare {
  std::string name, shape;
  Seconds time{};  ///< in the whole step, on the rank that is described
  std::int64_t count = 0;
  DurationEvidence evidence = DurationEvidence::modelled;
  std::string modality;  ///< whose weights it uses; empty: all tokens'
  bool product = false;
  double rows = 0, load = 0;  ///< of routed experts, as of a Label; else 0
};

/// How far the replicas of a step differ (sim/variation.h).
struct Imbalance {
  std::int64_t lanes = 1;  ///< simulated apart: 1 where nothing differs
  double worst_load = 1;   ///< of experts: rows of a group's busiest rank over the fair share
  double mean_load = 1;    ///< mean of those over layers, micro-batches and lanes
  double dropped = 0;      ///< share of the copies that a capacity dropped
};

struct StepResult {
  Seconds time{};
  std::int64_t rank = 0;  ///< whose compute stream `breakdown` takes apart: the one with most work
  std::array<Seconds, kCategories> breakdown{};  ///< sums to `time`
  std::vector<std::array<Seconds, kCategories>> by_rank;
  std::vector<KernelShare> kernels;      ///< of that rank, largest first
  std::array<Seconds, 4> by_evidence{};  ///< compute time by DurationEvidence
  double clock = 1.0;                    ///< of the burst clock, what the power cap leaves it
  Watts power{};                         ///< mean, of that rank's accelerator
  Flops flops{};  ///< done by one accelerator in the step (mean), recompute included
  double model_flops_utilisation = 0;  ///< palm convention over the bf16 peak
  MemoryResult memory;
  Imbalance imbalance;
  std::vector<ModalityWork> modalities;  ///< where the model or the mixture tells them apart
  std::optional<ExpertWork> experts;     ///< where the model has routed ones
  Contention contention;                 ///< of `rank`; empty unless the network is a graph
  std::uint64_t events = 0;
  std::shared_ptr<const Program> program;  ///< for traces
  std::shared_ptr<const Execution> execution;
};

[[nodiscard]] StepResult simulate_step(const Scenario&, Detail = Detail::folded);
/// simulate_step(...).time, without what explains it: for fits and searches that ask it often.
[[nodiscard]] Seconds step_time(const Scenario&);
/// The same with what other plans of the scenario had in common with it.
[[nodiscard]] Seconds step_time(const Scenario&, const Layout&, const Variation&, StepCache&);
/// The clocks that the power cap leaves, of the burst clock, by pool: the same however uneven the
/// work is.
[[nodiscard]] std::vector<double> step_clocks(const Scenario&, const Layout&, const Variation&);
/// The clock of a pool that holds the stages from `first` on, `stages` of them, from its parts at
/// the burst clock.
[[nodiscard]] double stages_clock(const Scenario&, const Layout&, const Parts&, std::int64_t first,
                                  std::int64_t stages);

}  // namespace forerun::sim
