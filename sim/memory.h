#pragma once

/// Device memory of a step: a liveness walk over what a stage keeps, in the schedule's order.
///
/// Persistent: parameters, gradients, optimiser states (cut as the plan says), communication
/// buffers, the context and libraries. Living: activations saved by every micro-batch in flight (as
/// models::layer_saved lists them, less what is recomputed), the transients of the widest operation
/// (logits and their gradient, the square of unfused attention, gathered FSDP units, recomputed
/// layer), buckets. The caching allocator holds more than is allocated: `reserved`.

#include <cstdint>
#include <string>
#include <vector>

#include "core/quantity.h"
#include "sim/layout.h"
#include "sim/scenario.h"

namespace forerun::sim {

struct MemoryOwner {
  std::string name;  ///< "optimiser states", "activations, 8 micro-batches in flight" ...
  Bytes bytes{};
};

struct StageMemory {
  std::int64_t stage = 0;
  Bytes peak{};         ///< allocated at the peak (as the framework's max_memory_allocated counts)
  Bytes after_step{};   ///< what stays allocated between steps
  Bytes reserved{};     ///< what the caching allocator and the context hold at the peak
  std::vector<MemoryOwner> owners;  ///< at the peak, largest first; they sum to `peak`
};

struct MemoryResult {
  std::vector<StageMemory> stages;
  std::size_t worst = 0;       ///< index of the stage with the largest `reserved`
  Bytes capacity{};            ///< usable device memory
  bool fits = true;
  Bytes over{};                ///< by how much the worst stage exceeds capacity
  std::vector<std::string> remedies;  ///< changes of one knob of the plan that would make it fit
};

/// `remedies` are looked for only when it does not fit and `find_remedies` is set (each is a walk).
enum class Remedies : std::uint8_t { find, skip };
[[nodiscard]] MemoryResult step_memory(const Scenario&, const Layout&, Remedies = Remedies::find);

}  // namespace forerun::sim
