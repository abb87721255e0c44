#pragma once

/// The layers that one rank runs in a step, as priced. Private to sim/.

#include <cstdint>

#include "sim/compile.h"

namespace forerun::sim {

/// One layer of one micro-batch, or of `times` that are alike, forward and backward.
struct LayerRun {
  const LayerParts& parts;
  std::uint8_t level = 0;  ///< of load
  bool redone = true;      ///< recomputed as the plan says; else not at all
  double times = 1;

  [[nodiscard]] const Segment& forward() const { return parts.by_level[level].forward; }
  [[nodiscard]] const Segment& backward() const { return backward_of(level); }
  /// The same at the fair share of load.
  [[nodiscard]] const Segment& fair_forward() const { return parts.by_level[0].forward; }
  [[nodiscard]] const Segment& fair_backward() const { return backward_of(0); }

 private:
  [[nodiscard]] const Segment& backward_of(std::uint8_t l) const {
    return redone ? parts.by_level[l].backward : parts.by_level[l].backward_plain;
  }
};

/// Calls `visit(LayerRun)` for the layers of a stage of a lane; modules of multi-token prediction
/// are left out.
template <class Visit>
void for_each_layer(const Scenario& s, const Layout& layout, const Variation& variation,
                    const std::vector<Parts>& parts, std::int64_t lane, std::int64_t stage,
                    Visit&& visit) {
  const std::int64_t runs = variation.uniform() ? 1 : s.plan.micro_batches();
  const double times = variation.uniform() ? static_cast<double>(s.plan.micro_batches()) : 1.0;
  const std::int64_t limit = s.plan.recompute.layers_per_stage;
  for (std::int64_t m = 0; m < runs; ++m) {
    const Parts& own = parts[variation.composition(lane, m)];
    for (const Chunk& chunk : layout.chunks[static_cast<std::size_t>(stage)]) {
      for (std::int64_t i = 0; i < chunk.layers; ++i) {
        const std::int64_t layer = chunk.first_layer + i;
        visit(LayerRun{own.layers[layout.kinds.of[static_cast<std::size_t>(layer)]],
                       variation.level(lane, m, layer), limit == 0 || i < limit, times});
      }
    }
  }
}

}  // namespace forerun::sim
