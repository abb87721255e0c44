#include "models/layer_forward.h"

#include <algorithm>

#include "models/attention_operations.h"
#include "models/depth_routing.h"
#include "models/elementwise_operations.h"
#include "models/expert_operations.h"
#include "models/latent_projections.h"
#include "models/modality_operations.h"
#include "models/parallel_products.h"

namespace forerun::models {
namespace {

bool wanted(Wanted w, LayerPart p) { return w == nullptr || w->contains(p); }

/// Query, key and value products of all weight sets, from the norm's output to the heads.
void project(const Layer& l, Wanted w) {
  OperationBuilder& b = l.b;
  const std::int64_t h = l.a.hidden;
  const std::vector<WeightSet> sets = attention_sets(l.a);
  const Rows rows = rows_of(sets, l.s, l.s.tokens());
  b.part(LayerPart::qkv);
  quantize_input(b, l.s.precision, "quantize norm output", l.outer() * l.hidden(), true);
  if (l.a.latent_attention) {
    latent_forward(l, w);
    return;
  }
  const std::int32_t gathering = gather_input(l);
  gather_by_modality(l, "gather by modality", sets, l.hidden());
  if (l.c.separate_projections) {
    if (wanted(w, LayerPart::query)) forward_product(l, "query", l.query_width(), h, rows);
    if (wanted(w, LayerPart::key)) forward_product(l, "key", l.kv_width(), h, rows);
    if (wanted(w, LayerPart::value)) forward_product(l, "value", l.kv_width(), h, rows);
  } else {
    forward_product(l, "query, key, value", l.query_width() + 2 * l.kv_width(), h, rows);
    if (!l.c.fused_elementwise && l.a.linear_bias) {
      b.memory("bias", l.inner() * static_cast<double>(l.query_width() + 2 * l.kv_width()), 2, 2);
    }
  }
  scatter_by_modality(l, "scatter queries", sets, static_cast<double>(l.query_width()));
  scatter_by_modality(l, "scatter keys", sets, static_cast<double>(l.kv_width()));
  scatter_by_modality(l, "scatter values", sets, static_cast<double>(l.kv_width()));
  b.require(gathering);
}

/// Feed-forward parts of the weight sets without experts.
void dense_feed_forward(const Layer& l, Wanted w, Extent extent, const Rows& rows) {
  OperationBuilder& b = l.b;
  const std::int64_t h = l.a.hidden;
  if (wanted(w, LayerPart::ffn_up) || wanted(w, LayerPart::ffn_gate)) {
    b.part(LayerPart::ffn_up);
    quantize_input(b, l.s.precision, "quantize norm output", l.outer() * l.hidden(), true);
    const std::int32_t gathering = gather_input(l);
    if (l.a.gated() && l.c.separate_projections) {
      if (wanted(w, LayerPart::ffn_gate)) forward_product(l, "feed-forward gate", l.ffn(), h, rows);
      if (wanted(w, LayerPart::ffn_up)) forward_product(l, "feed-forward up", l.ffn(), h, rows);
    } else {
      forward_product(l, "feed-forward up", (l.a.gated() ? 2 : 1) * l.ffn(), h, rows);
    }
    b.require(gathering);
  }
  if (wanted(w, LayerPart::activation)) {
    b.part(LayerPart::activation);
    activation_forward(l, sum(rows));
  }
  if (wanted(w, LayerPart::ffn_down)) {
    b.part(LayerPart::ffn_down);
    quantize_input(b, l.s.precision, "quantize activation",
                   l.inner() * static_cast<double>(l.ffn()), true);
    if (extent == Extent::whole) row_parallel_forward(l, "feed-forward down", l.ffn(), rows);
  }
}

}  // namespace

void attention_forward(const Layer& l, Wanted w, Extent extent) {
  OperationBuilder& b = l.b;
  if (wanted(w, LayerPart::attention_norm)) {
    b.part(LayerPart::attention_norm);
    modulation_forward(l);
    sub_layer_norms(l, "attention norm");
  }
  const bool products = wanted(w, LayerPart::qkv) || wanted(w, LayerPart::query) ||
                        wanted(w, LayerPart::key) || wanted(w, LayerPart::value) ||
                        wanted(w, LayerPart::latent_up);
  if (products) project(l, w);
  if (wanted(w, LayerPart::rotary) && !l.a.latent_attention) {
    b.part(LayerPart::rotary);
    head_norms_forward(l);
    rotary(l, "rotary");
  }
  if (wanted(w, LayerPart::core_attention)) {
    b.part(LayerPart::core_attention);
    core_attention(l, hw::Pass::forward);
  }
  if (wanted(w, LayerPart::attention_output)) {
    b.part(LayerPart::attention_output);
    const std::vector<WeightSet> sets = attention_sets(l.a);
    quantize_input(b, l.s.precision, "quantize context",
                   l.inner() * static_cast<double>(l.context_width()), false);
    gather_by_modality(l, "gather attention results", sets, static_cast<double>(l.context_width()));
    if (extent == Extent::as_needed) return;
    row_parallel_forward(l, "attention output", l.context_width(),
                         rows_of(sets, l.s, l.s.tokens()));
    scatter_by_modality(l, "scatter attention outputs", sets, l.hidden());
  }
  if (wanted(w, LayerPart::residual) && !l.a.parallel_block) {
    b.part(LayerPart::residual);
    residual_forward(l, l.outer());
  }
}

void feed_forward_forward(const Layer& l, Wanted w, Extent extent) {
  OperationBuilder& b = l.b;
  if (wanted(w, LayerPart::ffn_norm)) {
    b.part(LayerPart::ffn_norm);
    if (!l.a.parallel_block) sub_layer_norms(l, "feed-forward norm");
  }
  const std::vector<WeightSet> sets = feed_forward_sets(l.a);
  const FeedForwardRows rows(l, sets);
  gather_by_modality(l, "gather by modality", sets, l.hidden());
  if (rows.any_dense) dense_feed_forward(l, w, extent, rows.dense);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (sets[i].experts == 0) continue;
    if (sets.size() > 1) b.set(static_cast<std::int32_t>(i));
    experts_forward(l, w, extent, sets[i], rows.outer[i]);
  }
  b.set(-1);
  if (extent == Extent::as_needed) return;
  scatter_by_modality(l, "scatter feed-forward outputs", sets, l.hidden());
  if (wanted(w, LayerPart::residual)) {
    b.part(LayerPart::residual);
    residual_forward(l, l.outer());
  }
}

FeedForwardRows::FeedForwardRows(const Layer& l, const std::vector<WeightSet>& sets)
    : dense(rows_of(sets, l.s, l.s.tokens())), outer(rows_of(sets, l.s, l.s.outer_tokens())) {
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (sets[i].experts > 0) {
      dense[i] = 0;
    } else {
      any_dense = true;
    }
  }
}

OperationList layer_forward(const Architecture& a, const Slice& s, const KernelChoices& c) {
  OperationBuilder b;
  b.name_sets(names_of(attention_sets(a).size() > 1 ? attention_sets(a) : feed_forward_sets(a)));
  Slice some = routed_slice(a, s);
  pick_by_depth(b, a, s, some);
  const std::int64_t passes = a.thoughts ? a.thoughts->passes() : 1;
  for (some.thought = 0; some.thought < passes; ++some.thought) {
    const Layer l{a, some, c, b};
    attention_forward(l, nullptr, Extent::whole);
    feed_forward_forward(l, nullptr, Extent::whole);
  }
  put_back_by_depth(b, a, s, some);
  return b.take();
}

}  // namespace forerun::models
