#pragma once

/// What a pass of a model chunk consists of, in order. Private to sim/.

#include <vector>

#include "sim/layout.h"
#include "sim/parts.h"
#include "sim/scenario.h"
#include "sim/schedule.h"

namespace forerun::sim {

/// One layer, the embedding, the head or one of what follows it, within a pass.
struct Unit {
  const Segment* segment = nullptr;
  double parameters = 0;  ///< of one tensor rank, but for routed experts
  double experts = 0;     ///< parameters of the routed experts that this rank holds
  bool ends = false;      ///< embedding or head: the root unit of FSDP
};

/// Units of a pass of `chunk`, which rank `rank` holds; those without operations are left out,
/// unless gradients of parameters are complete with them or other micro-batches have some there.
/// They point into `parts`. With `head_deferred` a backward pass leaves the output matrix's
/// gradient for later.
/// `levels`: load of each of the model's layers; null: 0.
[[nodiscard]] std::vector<Unit> pass_units(const Scenario&, const Layout&, const Parts&,
                                           std::int64_t rank, const Chunk& chunk, PassKind,
                                           bool head_deferred = false,
                                           const std::uint8_t* levels = nullptr);

/// What one micro-batch, forward and backward through all chunks of a rank, does to an accelerator,
/// and how long it takes alone, exchanges inside included.
struct MicroBatchWork {
  Work work;
  Seconds time{};
};
[[nodiscard]] MicroBatchWork micro_batch_work(const Scenario&, const Layout&, const Parts&,
                                              std::int64_t rank);

}  // namespace forerun::sim
