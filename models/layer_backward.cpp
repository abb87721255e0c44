#include "models/attention_operations.h"
#include "models/depth_routing.h"
#include "models/elementwise_operations.h"
#include "models/expert_operations.h"
#include "models/latent_projections.h"
#include "models/layer_forward.h"
#include "models/modality_operations.h"
#include "models/parallel_products.h"

namespace forerun::models {
namespace {

std::vector<Column> up_products(const Layer& l) {
  if (l.a.gated() && l.c.separate_projections) {
    return {{"feed-forward gate input gradient", "feed-forward gate weight gradient", l.ffn()},
            {"feed-forward up input gradient", "feed-forward up weight gradient", l.ffn()}};
  }
  return {{"feed-forward up input gradient", "feed-forward up weight gradient",
           (l.a.gated() ? 2 : 1) * l.ffn()}};
}

std::vector<Column> qkv_products(const Layer& l) {
  if (l.c.separate_projections) {
    return {{"query input gradient", "query weight gradient", l.query_width()},
            {"key input gradient", "key weight gradient", l.kv_width()},
            {"value input gradient", "value weight gradient", l.kv_width()}};
  }
  return {{"query, key, value input gradient", "query, key, value weight gradient",
           l.query_width() + 2 * l.kv_width()}};
}

/// Backward of the feed-forward parts without experts.
void dense_feed_forward_backward(const Layer& l, const Rows& rows) {
  OperationBuilder& b = l.b;
  b.part(LayerPart::ffn_down);
  row_parallel_backward(l, "feed-forward down input gradient", "feed-forward down weight gradient",
                        l.ffn(), rows);
  b.part(LayerPart::activation);
  activation_backward(l, sum(rows));
  b.part(LayerPart::ffn_up);
  column_parallel_backward(l, up_products(l), static_cast<double>((l.a.gated() ? 2 : 1) * l.ffn()),
                           rows);
}

void feed_forward_backward(const Layer& l) {
  OperationBuilder& b = l.b;
  b.part(LayerPart::ffn_down);
  residual_backward(l, l.outer());
  const std::vector<WeightSet> sets = feed_forward_sets(l.a);
  const FeedForwardRows rows(l, sets);
  gather_by_modality(l, "gather output gradients", sets, l.hidden());
  if (rows.any_dense) dense_feed_forward_backward(l, rows.dense);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (sets[i].experts == 0) continue;
    if (sets.size() > 1) b.set(static_cast<std::int32_t>(i));
    experts_backward(l, sets[i], rows.outer[i]);
  }
  b.set(-1);
  scatter_by_modality(l, "scatter input gradients", sets, l.hidden());
  b.part(LayerPart::ffn_norm);
  if (!l.a.parallel_block) sub_layer_norm_gradients(l, "feed-forward norm gradient");
  join_gradient(l, l.outer());
}

void attention_backward(const Layer& l) {
  OperationBuilder& b = l.b;
  const std::vector<WeightSet> sets = attention_sets(l.a);
  const Rows rows = rows_of(sets, l.s, l.s.tokens());
  const double query = static_cast<double>(l.query_width());
  const double kv = static_cast<double>(l.kv_width());
  b.part(LayerPart::attention_output);
  if (!l.a.parallel_block) residual_backward(l, l.outer());
  gather_by_modality(l, "gather attention output gradients", sets, l.hidden());
  row_parallel_backward(l, "attention output input gradient", "attention output weight gradient",
                        l.context_width(), rows);
  scatter_by_modality(l, "scatter attention result gradients", sets,
                      static_cast<double>(l.context_width()));
  b.part(LayerPart::core_attention);
  core_attention(l, hw::Pass::backward);
  if (l.a.latent_attention) {
    latent_backward(l);
  } else {
    b.part(LayerPart::rotary);
    rotary(l, "rotary gradient");
    head_norms_backward(l);
    b.part(LayerPart::qkv);
    gather_by_modality(l, "gather query, key, value gradients", sets, query + 2 * kv);
    if (l.a.linear_bias) b.memory("bias gradient", l.inner() * (query + 2 * kv), 2, 0);
    column_parallel_backward(l, qkv_products(l), query + 2 * kv, rows);
    scatter_by_modality(l, "scatter input gradients", sets, l.hidden());
  }
  b.part(LayerPart::attention_norm);
  sub_layer_norm_gradients(l, "attention norm gradient");
  modulation_backward(l);
  join_gradient(l, l.outer());
}

/// What follows the feed-forward's last product, and the product itself, only make the layer's
/// output, unless a gradient reads that product: through a norm after it, its gate, its dropout, or
/// the score with which depth routing puts the layer's output back.
Extent recompute_extent(const Layer& l) {
  const bool output_read = l.a.norm_order != NormOrder::before || l.a.modulation > 0 ||
                           l.c.dropout || l.a.depth_routing.has_value();
  return l.c.recompute_ends_early && !output_read ? Extent::as_needed : Extent::whole;
}

}  // namespace

OperationList layer_backward(const Architecture& a, const Slice& s, const KernelChoices& c,
                             const std::set<LayerPart>& redo, bool full_recompute) {
  OperationBuilder b;
  b.name_sets(names_of(attention_sets(a).size() > 1 ? attention_sets(a) : feed_forward_sets(a)));
  Slice some = routed_slice(a, s);
  const Wanted parts = full_recompute ? nullptr : &redo;
  const auto again = [&](const Layer& l, auto&& pass) {
    b.recomputed(true);
    pass(l);
    b.recomputed(false);
  };
  const auto attention = [&](const Layer& l) {
    attention_forward(l, parts, l.a.parallel_block ? recompute_extent(l) : Extent::whole);
  };
  const auto feed_forward = [&](const Layer& l) {
    feed_forward_forward(l, parts, recompute_extent(l));
  };
  const std::int64_t passes = a.thoughts ? a.thoughts->passes() : 1;
  if (full_recompute) {
    b.recomputed(true);
    pick_by_depth(b, a, s, some);
    b.recomputed(false);
  }
  for (some.thought = passes - 1; some.thought >= 0; --some.thought) {
    const Layer l{a, some, c, b};
    if (full_recompute) again(l, attention);
    if (full_recompute || !redo.empty()) again(l, feed_forward);
    if (some.thought == passes - 1) put_back_gradient_by_depth(b, a, some);
    feed_forward_backward(l);
    if (!full_recompute && !redo.empty()) again(l, attention);
    attention_backward(l);
  }
  pick_gradient_by_depth(b, a, s, some);
  return b.take();
}

}  // namespace forerun::models
