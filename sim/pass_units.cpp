#include "sim/pass_units.h"

#include <algorithm>
#include <ranges>

namespace forerun::sim {

std::vector<Unit> pass_units(const Scenario& s, const Layout& layout, const Parts& parts,
                             std::int64_t rank, const Chunk& chunk, PassKind pass,
                             bool head_deferred, const std::uint8_t* levels) {
  const StageParameters held = stage_parameters(s, layout, rank);
  const auto embedding = static_cast<double>(held.embedding);
  const auto head = static_cast<double>(held.head);
  const auto adapters = static_cast<double>(held.adapters);
  const double encoders =
      chunk.encoder
          ? static_cast<double>(
                models::held_encoders(s.model, *chunk.encoder, s.plan.encoder_tensor).trained)
          : 0.0;
  std::vector<Unit> units;
  units.reserve(static_cast<std::size_t>(chunk.layers) + 4);
  const bool completes = pass == PassKind::weight_gradient;
  // Lanes meet in the exchanges of a unit's parameters, whether or not the tokens in hand need it.
  const bool adapts = !s.model.adapters.empty();
  const auto add = [&](const Segment& segment, double parameters, bool data_dependent = false) {
    if (!segment.operations.empty() || (completes && parameters > 0) || data_dependent) {
      units.push_back({&segment, parameters, 0, true});
    }
  };
  const auto layer_parts = [&](std::int64_t i) -> const LayerParts& {
    return parts.layers[layout.kinds.of[static_cast<std::size_t>(chunk.first_layer + i)]];
  };
  const auto passes = [&](std::int64_t i) -> const LayerPasses& {
    const std::size_t level = levels == nullptr ? 0 : levels[chunk.first_layer + i];
    return layer_parts(i).by_level[level];
  };
  const auto add_layer = [&](const Segment& segment, const LayerParts& of) {
    if (!segment.operations.empty() || completes) {
      units.push_back({&segment, of.parameters, of.experts, false});
    }
  };
  // Modules of multi-token prediction come after the head: each a layer, head and loss again.
  const std::int64_t modules = chunk.head ? s.model.multi_token_prediction : 0;
  const LayerParts& last = parts.layers[layout.kinds.of.back()];
  const std::int64_t of_modules = held.multi_token + held.multi_token_embedding;
  const double join =
      static_cast<double>(of_modules) / static_cast<double>(std::max<std::int64_t>(1, modules));
  // They are like the last layer, and are taken to have its load.
  const LayerPasses& module = last.by_level[levels == nullptr ? 0 : levels[s.model.layers - 1]];
  if (pass == PassKind::forward) {
    if (chunk.encoder) {
      add(parts.encoders[static_cast<std::size_t>(chunk.encoder->index)].forward, encoders, true);
    }
    if (chunk.embedding) {
      add(parts.adapters_forward, adapters, adapts);
      add(parts.embedding_forward, embedding);
    }
    for (std::int64_t i = 0; i < chunk.layers; ++i) {
      add_layer(passes(i).forward, layer_parts(i));
    }
    if (chunk.head) {
      add(parts.head_forward, head);
      add(parts.predictions_forward, 0, adapts);
    }
    if (chunk.cast) add(parts.cast_forward, 0);
    if (chunk.loss) add(parts.loss_forward, 0);
    for (std::int64_t i = 0; i < modules; ++i) {
      add(parts.multi_token_forward, join);
      add_layer(module.forward, last);
      add(parts.head_forward, 0);
      add(parts.cast_forward, 0);
      add(parts.loss_forward, 0);
    }
    return units;
  }
  const bool inputs = returns_gradient(pass);
  for (std::int64_t i = 0; i < modules; ++i) {
    if (inputs) add(parts.loss_backward, 0);
    if (inputs) add(parts.cast_backward, 0);
    add(parts.head_backward.of(pass), 0);
    add_layer(module.backward.of(pass), last);
    add(parts.multi_token_backward.of(pass), join);
  }
  if (chunk.loss && inputs) add(parts.loss_backward, 0);
  if (chunk.cast && inputs) add(parts.cast_backward, 0);
  if (chunk.head) add(parts.predictions_backward.of(pass), 0, adapts);
  if (chunk.head && head_deferred) add(parts.head_input_gradient, 0);
  if (chunk.head && !head_deferred) add(parts.head_backward.of(pass), head);
  // With a limit, the first layers of a stage are recomputed in full and the others not.
  const Recompute& r = s.plan.recompute;
  const std::int64_t limit = r.layers_per_stage > 0 ? r.layers_per_stage : chunk.layers;
  for (std::int64_t i = chunk.layers - 1; i >= 0; --i) {
    const Backward& backward = i < limit ? passes(i).backward : passes(i).backward_plain;
    add_layer(backward.of(pass), layer_parts(i));
  }
  if (chunk.embedding) {
    add(parts.embedding_backward.of(pass), embedding);
    add(parts.adapters_backward.of(pass), adapters, adapts);
  }
  if (chunk.encoder) {
    add(parts.encoders[static_cast<std::size_t>(chunk.encoder->index)].backward.of(pass), encoders,
        true);
  }
  return units;
}

MicroBatchWork micro_batch_work(const Scenario& s, const Layout& layout, const Parts& parts,
                                std::int64_t rank) {
  MicroBatchWork sum;
  const auto add = [&](const Chunk& chunk, PassKind pass) {
    for (const Unit& u : pass_units(s, layout, parts, rank, chunk, pass)) {
      sum.work += u.segment->work;
      sum.time += to_seconds(Tick{u.segment->ticks});
    }
  };
  const std::vector<Chunk>& chunks = layout.chunks[static_cast<std::size_t>(rank)];
  for (const Chunk& c : chunks) add(c, PassKind::forward);
  for (const Chunk& c : std::ranges::reverse_view(chunks)) add(c, PassKind::backward);
  return sum;
}

}  // namespace forerun::sim
