#include "sim/parts.h"

#include <algorithm>

#include "models/adapter_operations.h"
#include "models/encoder_operations.h"
#include "models/split_backward.h"
#include "sim/compile.h"

namespace forerun::sim {

namespace {

Backward backward(const Scenario& s, Pricer& pricer, const models::OperationList& list) {
  Backward b;
  b.whole = pricer.segment(list);
  if (!splits_backward(s.plan.schedule)) return b;
  const models::SplitBackward split = models::split_backward(list);
  b.inputs = pricer.segment(split.inputs);
  b.weights = pricer.segment(split.weights);
  return b;
}

LayerPasses layer_passes(const Scenario& s, const models::Architecture& kind, Pricer& pricer,
                         const models::Slice& slice) {
  const Recompute& r = s.plan.recompute;
  const models::KernelChoices choices = kernel_choices(s);
  LayerPasses passes;
  passes.forward = pricer.segment(models::layer_forward(kind, slice, choices));
  passes.backward =
      backward(s, pricer,
               models::layer_backward(
                   kind, slice, choices,
                   r.mode == RecomputeMode::selective ? r.parts : std::set<models::LayerPart>{},
                   r.mode == RecomputeMode::full));
  if (r.layers_per_stage > 0) {
    passes.backward_plain =
        backward(s, pricer, models::layer_backward(kind, slice, choices, {}, false));
  }
  return passes;
}

Sends sends(const Scenario& s, Pricer& pricer, const models::Slice& slice, std::int64_t vocab,
            Bytes hidden, const PlacedGroup& link) {
  const auto send = [&](const char* name, Bytes bytes) {
    return pricer.collective(name, hw::CollectiveKind::send_receive, bytes, link,
                             StreamKind::pipeline_send, Category::pipeline_exchange);
  };
  const std::int64_t rows = vocab / s.plan.tensor;
  const Bytes logits(2.0 * static_cast<double>(slice.tokens()) * static_cast<double>(rows));
  const bool cast = kernel_choices(s).fp32_logits;
  Sends all;
  all.hidden = send("send to next stage", hidden);
  all.logits = send("send logits", logits);
  all.cast_logits = send("send 32-bit logits", cast ? logits * 2.0 : logits);
  const std::int64_t parts = std::max<std::int64_t>(1, s.plan.encoder_stages);
  for (std::int64_t i = 0; i < parts && !s.model.encoders.empty(); ++i) {
    all.items.push_back(send("send items", models::encoder_message(s.model, slice, {i, parts})));
  }
  return all;
}

}  // namespace

std::vector<Parts> price_parts(const Scenario& s, const Layout& layout, Pricer& pricer,
                               const Variation& variation) {
  std::vector<Parts> all;
  for (const models::Slice& slice : variation.slices()) {
    all.push_back(price_parts(s, layout, pricer, slice, variation.used()));
  }
  return all;
}

Parts price_parts(const Scenario& s, const Layout& layout, Pricer& pricer,
                  const models::Slice& slice, const std::vector<bool>& levels) {
  const models::Architecture& a = s.model;
  const Plan& plan = s.plan;
  const models::KernelChoices choices = kernel_choices(s);
  Parts parts;
  for (const models::Architecture& kind : layout.kinds.kinds) {
    LayerParts& layer = parts.layers.emplace_back();
    layer.by_level.resize(levels.size());
    for (std::size_t i = 0; i < levels.size(); ++i) {
      if (!levels[i] || (i > 0 && !kind.experts)) continue;
      models::Slice loaded = slice;
      loaded.load.mine = loaded.load.exchange = Variation::load(static_cast<std::uint8_t>(i));
      layer.by_level[i] = layer_passes(s, kind, pricer, loaded);
    }
    layer.weight_casts = pricer.segment(models::weight_casts(kind, slice, choices));
    const models::LayerParameters held = models::layer_parameters(kind, cut_of(plan));
    layer.experts = static_cast<double>(held.routed());
    layer.parameters = static_cast<double>(held.total()) - layer.experts;
  }
  parts.adapters_forward = pricer.segment(models::adapters_forward(a, slice, choices));
  parts.adapters_backward = backward(s, pricer, models::adapters_backward(a, slice, choices));
  parts.predictions_forward = pricer.segment(models::predictions_forward(a, slice));
  parts.predictions_backward = backward(s, pricer, models::predictions_backward(a, slice, choices));
  parts.embedding_forward = pricer.segment(models::embedding_forward(a, slice, choices));
  parts.embedding_backward =
      backward(s, pricer, models::embedding_backward(a, slice, choices, layout.padded_vocab));
  parts.head_forward = pricer.segment(models::head_forward(a, slice, choices, layout.padded_vocab));
  parts.head_backward =
      backward(s, pricer, models::head_backward(a, slice, choices, layout.padded_vocab));
  const std::int64_t vocab = layout.padded_vocab;
  if (s.framework.deferred_embedding_gradients > 0) {
    parts.head_input_gradient =
        pricer.segment(models::head_input_gradient(a, slice, choices, vocab));
    parts.head_weight_gradient =
        pricer.segment(models::head_weight_gradient(a, slice, choices, vocab));
  }
  parts.cast_forward = pricer.segment(models::cast_logits_forward(slice, choices, vocab));
  parts.cast_backward = pricer.segment(models::cast_logits_backward(slice, choices, vocab));
  if (a.multi_token_prediction > 0) {
    parts.multi_token_forward = pricer.segment(models::multi_token_forward(a, slice, choices));
    parts.multi_token_backward =
        backward(s, pricer, models::multi_token_backward(a, slice, choices));
  }
  parts.loss_forward = pricer.segment(models::loss_forward(slice, choices, vocab));
  parts.loss_backward = pricer.segment(models::loss_backward(slice, choices, vocab));

  const std::int64_t encoder_parts = std::max<std::int64_t>(1, plan.encoder_stages);
  for (std::int64_t i = 0; i < encoder_parts && !a.encoders.empty(); ++i) {
    const models::EncoderPart part{i, encoder_parts};
    parts.encoders.push_back(
        {pricer.segment(models::encoders_forward(a, slice, choices, part)),
         backward(s, pricer,
                  models::encoders_backward(a, slice, choices, part, plan.recompute.encoders))});
  }
  const Framework& f = s.framework;
  const Bytes activation(2.0 * static_cast<double>(slice.outer_tokens()) *
                         static_cast<double>(a.hidden));
  const bool scatter =
      f.scatter_gather_point_to_point && !plan.sequence_parallel && plan.tensor > 1;
  const Bytes hidden = scatter ? activation / static_cast<double>(plan.tensor) : activation;
  parts.sends = sends(s, pricer, slice, vocab, hidden, layout.pipeline_link);
  PlacedGroup apart = layout.pipeline_link;
  apart.per_domain = 1;
  apart.sharing = used_domain(s);
  parts.sends_apart = sends(s, pricer, slice, vocab, hidden, apart);
  if (scatter) {
    parts.gather_received =
        pricer.collective("gather received", hw::CollectiveKind::all_gather, activation,
                          layout.tensor, StreamKind::pipeline_receive, Category::pipeline_exchange);
  }
  return parts;
}

}  // namespace forerun::sim
