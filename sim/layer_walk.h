#pragma once

/// The layers, and all units, that one rank runs in a step, as priced. Private to sim/.

#include <cstdint>
#include <vector>

#include "sim/compile.h"
#include "sim/pass_units.h"
#include "sim/schedule.h"

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
    return redone ? parts.by_level[l].backward.whole : parts.by_level[l].backward_plain.whole;
  }
};

/// Calls `visit(chunk, micro-batch, times)` for what a stage of a lane runs: each micro-batch of
/// each of its chunks once, or the first for all where they are alike.
template <class Visit>
void for_each_micro_batch(const Scenario& s, const Layout& layout, const Variation& variation,
                          std::int64_t stage, Visit&& visit) {
  const PipelineShape shape = pipeline_shape(s.plan);
  const std::int64_t served = micro_batches_of_chunk(shape);
  const std::int64_t runs = variation.uniform() ? 1 : served;
  const double times = variation.uniform() ? static_cast<double>(served) : 1.0;
  const std::vector<Chunk>& chunks = layout.chunks[static_cast<std::size_t>(stage)];
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    const std::int64_t first = first_micro_batch(shape, {stage, static_cast<std::int64_t>(c)});
    for (std::int64_t m = first; m < first + runs; ++m) visit(chunks[c], m, times);
  }
}

/// Calls `visit(LayerRun)` for the layers of a stage of a lane; modules of multi-token prediction
/// are left out.
template <class Visit>
void for_each_layer(const Scenario& s, const Layout& layout, const Variation& variation,
                    const std::vector<Parts>& parts, std::int64_t lane, std::int64_t stage,
                    Visit&& visit) {
  const std::int64_t limit = s.plan.recompute.layers_per_stage;
  for_each_micro_batch(
      s, layout, variation, stage, [&](const Chunk& chunk, std::int64_t m, double times) {
        const Parts& own = parts[variation.composition(lane, m)];
        for (std::int64_t i = 0; i < chunk.layers; ++i) {
          const std::int64_t layer = chunk.first_layer + i;
          visit(LayerRun{own.layers[layout.kinds.of[static_cast<std::size_t>(layer)]],
                         variation.level(lane, m, layer), limit == 0 || i < limit, times});
        }
      });
}

/// Calls `visit(segment, times)` for all that the passes of a stage of a lane consist of.
template <class Visit>
void for_each_unit(const Scenario& s, const Layout& layout, const Variation& variation,
                   const std::vector<Parts>& parts, std::int64_t lane, std::int64_t stage,
                   Visit&& visit) {
  for_each_micro_batch(
      s, layout, variation, stage, [&](const Chunk& chunk, std::int64_t m, double times) {
        const std::vector<std::uint8_t> levels = variation.levels(lane, m);
        for (const PassKind pass : {PassKind::forward, PassKind::backward}) {
          for (const Unit& u :
               pass_units(s, layout, parts[variation.composition(lane, m)], stage, chunk, pass,
                          false, levels.empty() ? nullptr : levels.data())) {
            visit(*u.segment, times);
          }
        }
      });
}

}  // namespace forerun::sim
