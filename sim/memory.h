#pragma once

/// Device memory of a step: a liveness walk over what a stage keeps, in the schedule's order.
///
/// Persistent: parameters, gradients, optimiser states (cut as the plan says), buckets, workspaces.
/// Living: activations of every micro-batch in flight (models/activation_memory.h, less what is
/// recomputed), the transients of the widest moment (logits and their gradient, the square of
/// unfused attention, gathered FSDP units, a recomputed layer, weight gradients before they are
/// added). The walk looks at the end of every forward pass (where the loss is), at the start of
/// every backward pass (all of its activations and the first transients) and at its end (its weight
/// gradients), and at the optimiser's step; between them memory falls or rises evenly. Where the
/// schedule splits backward passes, the operands of the weight gradients live from the one part to
/// the other.
///
/// Where micro-batches differ, the walk takes each with what its own modalities keep, and a stage's
/// memory is that of the replica that needs most; of uneven experts, the mean load of a group's
/// busiest rank for what passes in flight keep and the greatest for transients.
///
/// The caching allocator holds more than is in use (`reserved`): a share of what lives, and outside
/// it the context and communicators.
///
/// Not modelled: transients of encoders and a second pass's beside those of one that runs together
/// with it (DualPipe), checkpoints being written, evaluation, data loaders, memory of CUDA graphs.

#include <cstdint>
#include <string>
#include <vector>

#include "core/quantity.h"
#include "sim/layout.h"
#include "sim/scenario.h"
#include "sim/variation.h"

namespace forerun::sim {

struct MemoryOwner {
  std::string name;  ///< "optimiser states", "activations of 8 micro-batches" ...
  Bytes bytes{};
};

struct StageMemory {
  std::int64_t stage = 0;
  Bytes persistent{};  ///< states, buckets and workspaces: what stays between steps
  Bytes peak{};        ///< in use at the peak: allocated, and freed but waiting for an exchange
  /// The most that is allocated from the end of the last backward pass to the end of the step (what
  /// a framework reports that resets its peak there): the states, and what gathers them.
  Bytes after_step{};
  Bytes capacity{};  ///< of its accelerators: usable device memory
  Bytes reserved{};  ///< what the caching allocator, context and communicators hold at the peak
  Bytes reported{};  ///< what runs of the framework report: the peak, the allocator\'s or all of it
  std::string moment;               ///< "backward pass", "loss", "optimiser" ...
  std::vector<MemoryOwner> owners;  ///< at the peak, largest first; they sum to `peak`
};

struct MemoryResult {
  std::vector<StageMemory> stages;
  std::size_t worst = 0;      ///< index of the stage with the least left, or the most too much
  std::size_t reporting = 0;  ///< index of the stage whose memory runs of the framework report
  Bytes capacity{};           ///< of the worst stage's accelerators: usable device memory
  bool fits = true;
  Bytes over{};                       ///< by how much the worst stage exceeds capacity
  std::vector<std::string> remedies;  ///< changes of one knob of the plan that would make it fit
};

/// `remedies` are looked for only when it does not fit and that is asked (each is a walk).
enum class Remedies : std::uint8_t { find, skip };
[[nodiscard]] MemoryResult step_memory(const Scenario&, const Layout&, Remedies = Remedies::find);
/// The same where the scenario's variation is known already.
[[nodiscard]] MemoryResult step_memory(const Scenario&, const Layout&, const Variation&,
                                       Remedies = Remedies::find);

/// Changes of one knob by which the scenario fits, the least intrusive first, each with what is
/// then left: "micro_batch 4 -> 2 (3.1 GiB to spare)". Empty if none helps.
[[nodiscard]] std::vector<std::string> memory_remedies(const Scenario&);

}  // namespace forerun::sim
