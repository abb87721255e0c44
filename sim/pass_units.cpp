#include "sim/pass_units.h"

#include <ranges>

namespace forerun::sim {
namespace {

/// Parameters of each part of a stage on one tensor rank.
struct Held {
  double layer = 0, embedding = 0, head = 0;
};

Held held_by(const Scenario& s, const Layout& layout, std::int64_t rank) {
  const StageParameters held = stage_parameters(s, layout, rank);
  const std::int64_t layers = layout.stage_layers(rank);
  return {layers == 0 ? 0.0 : static_cast<double>(held.layers) / static_cast<double>(layers),
          static_cast<double>(held.embedding), static_cast<double>(held.head)};
}

}  // namespace

std::vector<Unit> pass_units(const Scenario& s, const Layout& layout, const Parts& parts,
                             std::int64_t rank, const Chunk& chunk, hw::Pass pass,
                             bool head_deferred) {
  const Held held = held_by(s, layout, rank);
  std::vector<Unit> units;
  units.reserve(static_cast<std::size_t>(chunk.layers) + 4);
  const auto add = [&](const Segment& segment, double parameters, bool ends) {
    if (!segment.operations.empty()) units.push_back({&segment, parameters, ends});
  };
  if (pass == hw::Pass::forward) {
    if (chunk.embedding) add(parts.embedding_forward, held.embedding, true);
    for (std::int64_t i = 0; i < chunk.layers; ++i) add(parts.layer_forward, held.layer, false);
    if (chunk.head) add(parts.head_forward, held.head, true);
    if (chunk.cast) add(parts.cast_forward, 0, true);
    if (chunk.loss) add(parts.loss_forward, 0, true);
    return units;
  }
  if (chunk.loss) add(parts.loss_backward, 0, true);
  if (chunk.cast) add(parts.cast_backward, 0, true);
  if (chunk.head && head_deferred) add(parts.head_input_gradient, 0, true);
  if (chunk.head && !head_deferred) add(parts.head_backward, held.head, true);
  // With a limit, the first layers of a stage are recomputed in full and the others not.
  const Recompute& r = s.plan.recompute;
  const std::int64_t limit = r.layers_per_stage > 0 ? r.layers_per_stage : chunk.layers;
  for (std::int64_t i = chunk.layers - 1; i >= 0; --i) {
    add(i < limit ? parts.layer_backward : parts.layer_backward_plain, held.layer, false);
  }
  if (chunk.embedding) add(parts.embedding_backward, held.embedding, true);
  return units;
}

MicroBatchWork micro_batch_work(const Scenario& s, const Layout& layout, const Parts& parts,
                                std::int64_t rank) {
  MicroBatchWork sum;
  const auto add = [&](const Chunk& chunk, hw::Pass pass) {
    for (const Unit& u : pass_units(s, layout, parts, rank, chunk, pass)) {
      sum.work += u.segment->work;
      sum.time += to_seconds(Tick{u.segment->ticks});
    }
  };
  const std::vector<Chunk>& chunks = layout.chunks[static_cast<std::size_t>(rank)];
  for (const Chunk& c : chunks) add(c, hw::Pass::forward);
  for (const Chunk& c : std::ranges::reverse_view(chunks)) add(c, hw::Pass::backward);
  return sum;
}

}  // namespace forerun::sim
