#pragma once

/// Work that belongs to some tokens only: to a modality's own weights, or to routed experts. How
/// many tokens, how long their kernels take on each rank, and what the others wait for the busiest.
///
/// A rank is simulated as the busiest of its expert-parallel group (sim/variation.h). Its experts'
/// kernels take nearly as much time a row whatever their number, and the group's mean load is 1, so
///   waits = time of the experts' kernels at the simulated load - the same at the fair share
/// is what the group's ranks wait for their busiest on the mean, while it computes. What uneven
/// loads add to the exchanges is not in it. Loads are those of the simulation, up to 4 % above
/// those drawn.
///
/// Encoders and adapters are their modality's. Modules of multi-token prediction are not counted
/// among the experts.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/compile.h"

namespace forerun::sim {

/// One modality in a step. Times are of the kernels that use its own weights, on the ranks of one
/// stage.
struct ModalityWork {
  std::string name;
  double share = 0;   ///< of tokens, mean over micro-batches
  double spread = 0;  ///< standard deviation of a micro-batch's share
  double most = 0;    ///< share of the micro-batch that has most
  double tokens = 0;  ///< of a micro-batch, mean
  Seconds kernels{};  ///< on the described rank, ends included
  Seconds products{};
  Seconds mean_kernels{}, most_kernels{};  ///< over lanes: of the mean rank and of the busiest
};

/// The routed experts of one expert-parallel group: a stage of a lane.
struct ExpertGroup {
  std::int64_t lane = 0, stage = 0;
  std::int64_t layers = 0;  ///< with experts
  double load = 1;      ///< of its busiest rank over the fair share, mean over layers and passes
  Seconds products{};   ///< of the busiest rank, in the step
  Seconds kernels{};    ///< products and what is between them, of the busiest rank
  Seconds waits{};      ///< see above
  Seconds exchanges{};  ///< of copies of tokens, as far as they take, hidden or not
};

struct ExpertWork {
  std::int64_t experts = 0, chosen = 0;  ///< of a layer; by a token
  std::int64_t ranks = 1;                ///< of a group
  /// Copies of tokens in a layer of a micro-batch, at the fair share: those that a rank and that an
  /// expert works on. With a capacity, what it is padded to.
  double rank_rows = 0, expert_rows = 0;
  Variation::Load rank, expert;         ///< of the busiest, over the fair share
  std::vector<std::int64_t> most_used;  ///< the busiest experts, where the loads are given
  std::vector<ExpertGroup> groups;      ///< of every stage of every lane, as StepResult::by_rank
};

/// Empty where the model has no routed experts.
[[nodiscard]] std::optional<ExpertWork> expert_work(const Scenario&, const Layout&,
                                                    const Variation&, const Compiled&);
/// Of the stage that `rank` is; `kernels` and `products` are left to whoever counts kernels.
[[nodiscard]] std::vector<ModalityWork> modality_work(const Scenario&, const Layout&,
                                                      const Variation&, const Compiled&,
                                                      std::int64_t rank);

}  // namespace forerun::sim
