#include "sim/kept_activations.h"

#include <utility>

#include "models/adapter_operations.h"
#include "models/split_backward.h"
#include "sim/compile.h"
#include "sim/schedule.h"

namespace forerun::sim {
namespace {

constexpr double kSixteenBit = 2.0;

}  // namespace

KeptActivations::KeptActivations(const Scenario& s, const Layout& l, const Variation& variation,
                                 models::Slice of)
    : scenario(s), layout(l), choices(kernel_choices(s)), slice(std::move(of)), worst(slice) {
  if (s.model.experts && s.expert_loads.kind != LoadKind::balanced) {
    // Passes in flight have the mean of what a group's busiest rank gets, the one that runs the
    // most.
    slice.load.mine = variation.mean_load();
    worst.load.mine = variation.worst_load();
  }
  for (const models::Architecture& kind : l.kinds.kinds) add_kind(kind);
  outer = models::outer_hidden_state(s.model, slice);
  whole = models::hidden_state(s.model, slice);
  const std::int64_t vocabulary = l.padded_vocab / s.plan.tensor;
  logits = static_cast<double>(slice.tokens()) * static_cast<double>(vocabulary);
}

void KeptActivations::add_kind(const models::Architecture& kind) {
  const auto tensors = models::layer_activations(kind, slice, choices);
  LayerMemory k;
  k.full = models::kept_bytes(tensors, {});
  switch (scenario.plan.recompute.mode) {
    case RecomputeMode::none:
      k.layer = k.full;
      break;
    case RecomputeMode::selective:
      k.layer = models::kept_bytes(tensors, scenario.plan.recompute.parts);
      break;
    case RecomputeMode::full:
      for (const models::KeptActivation& t : tensors) {
        if (t.when == models::KeptActivation::When::always) k.layer += t.bytes;
      }
      break;
  }
  if (splits_backward(scenario.plan.schedule)) {
    const models::OperationList backward = models::layer_backward(kind, slice, choices, {}, false);
    k.put_off = models::kept_for_weights(models::split_backward(backward).weights);
  }
  k.transients = models::layer_transients(kind, worst, choices);
  k.parameters = static_cast<double>(models::layer_parameters(kind, cut_of(scenario.plan)).total());
  layer_parameters = std::max(layer_parameters, k.parameters);
  kinds.push_back(k);
}

std::int64_t KeptActivations::recomputed_layers(const Chunk& chunk) const {
  const Plan& plan = scenario.plan;
  const std::int64_t limit = plan.recompute.layers_per_stage;
  if (plan.recompute.mode == RecomputeMode::none) return 0;
  return limit == 0 ? chunk.layers : std::min(chunk.layers, limit);
}

Bytes KeptActivations::activations(const Chunk& chunk, std::int64_t chunks) const {
  const Plan& plan = scenario.plan;
  const MemoryHabits& habits = scenario.framework.memory;
  const std::int64_t redone = recomputed_layers(chunk);
  const std::int64_t offloaded = std::min(chunk.layers, plan.activation_offload_layers / chunks);
  Bytes sum{};
  for (std::int64_t i = offloaded; i < chunk.layers; ++i) {
    sum += i < redone ? kind(chunk, i).layer : kind(chunk, i).full;
  }
  if (chunk.encoder)
    sum += models::encoder_activations(scenario.model, slice, *chunk.encoder,
                                       scenario.plan.recompute.encoders);
  if (chunk.embedding) {
    sum += models::embedding_activations(scenario.model, slice, choices);
    sum += models::adapter_activations(scenario.model, slice);
  }
  if (chunk.head) {
    const auto modules = static_cast<double>(scenario.model.multi_token_prediction);
    const LayerMemory& last = kinds[layout.kinds.of.back()];
    const bool redo = plan.recompute.layers_per_stage == 0;
    // The joined vector and its norms beside the layer, the head's inputs and the loss.
    sum += modules *
           ((redo ? last.layer : last.full) + 8.0 * outer + Bytes(logits * habits.loss_kept_bytes));
  }
  if (chunk.head) sum += 2.0 * outer;  // inputs of the final norm and of the output matrix
  if (chunk.loss) sum += Bytes(logits * habits.loss_kept_bytes);
  const Bytes sent_logits(kSixteenBit * logits);
  if (chunk.loss && !chunk.head) sum += sent_logits;  // received from the stage before
  if (!chunk.loss && habits.keeps_sent_outputs) {
    sum += chunk.head ? sent_logits
           : chunk.encoder && !chunk.embedding
               ? models::encoder_message(scenario.model, slice, *chunk.encoder)
               : outer;
  }
  return sum;
}

Bytes KeptActivations::put_off(const Chunk& chunk) const {
  Bytes sum{};
  if (!splits_backward(scenario.plan.schedule)) return sum;
  for (std::int64_t i = 0; i < chunk.layers; ++i) sum += kind(chunk, i).put_off;
  const models::Architecture& a = scenario.model;
  const std::int64_t vocabulary = layout.padded_vocab;
  const auto of = [](const models::OperationList& backward) {
    return models::kept_for_weights(models::split_backward(backward).weights);
  };
  if (chunk.encoder) {
    sum += of(models::encoders_backward(a, slice, choices, *chunk.encoder));
  }
  if (chunk.embedding) {
    sum += of(models::embedding_backward(a, slice, choices, vocabulary));
    sum += of(models::adapters_backward(a, slice, choices));
  }
  if (!chunk.head) return sum;
  const Bytes head = of(models::head_backward(a, slice, choices, vocabulary));
  sum += head + of(models::predictions_backward(a, slice, choices));
  if (a.multi_token_prediction > 0) {
    sum += static_cast<double>(a.multi_token_prediction) *
           (head + kinds[layout.kinds.of.back()].put_off +
            of(models::multi_token_backward(a, slice, choices)));
  }
  return sum;
}

}  // namespace forerun::sim
