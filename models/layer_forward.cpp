#include "models/layer_forward.h"

#include "models/attention_operations.h"
#include "models/elementwise_operations.h"
#include "models/parallel_products.h"

namespace forerun::models {
namespace {

bool wanted(Wanted w, LayerPart p) { return w == nullptr || w->contains(p); }

}  // namespace

void attention_forward(const Layer& l, Wanted w) {
  OperationBuilder& b = l.b;
  const std::int64_t h = l.a.hidden;
  if (wanted(w, LayerPart::attention_norm)) {
    b.part(LayerPart::attention_norm);
    norm_forward(l, "attention norm", l.outer());
  }
  const bool products = wanted(w, LayerPart::qkv) || wanted(w, LayerPart::query) ||
                        wanted(w, LayerPart::key) || wanted(w, LayerPart::value);
  if (products) {
    b.part(LayerPart::qkv);
    quantize_input(b, l.s.precision, "quantize norm output", l.outer() * l.hidden(), true);
    const std::int32_t gathering = gather_input(l);
    if (l.c.separate_projections) {
      if (wanted(w, LayerPart::query)) forward_product(l, "query", l.query_width(), h);
      if (wanted(w, LayerPart::key)) forward_product(l, "key", l.kv_width(), h);
      if (wanted(w, LayerPart::value)) forward_product(l, "value", l.kv_width(), h);
    } else {
      forward_product(l, "query, key, value", l.query_width() + 2 * l.kv_width(), h);
      if (!l.c.fused_elementwise && l.a.linear_bias) {
        b.memory("bias", l.inner() * static_cast<double>(l.query_width() + 2 * l.kv_width()), 2, 2);
      }
    }
    b.require(gathering);
  }
  if (wanted(w, LayerPart::rotary)) {
    b.part(LayerPart::rotary);
    rotary(l, "rotary");
  }
  if (wanted(w, LayerPart::core_attention)) {
    b.part(LayerPart::core_attention);
    core_attention(l, hw::Pass::forward);
  }
  if (wanted(w, LayerPart::attention_output)) {
    b.part(LayerPart::attention_output);
    quantize_input(b, l.s.precision, "quantize context",
                   l.inner() * static_cast<double>(l.query_width()), false);
    row_parallel_forward(l, "attention output", l.query_width());
  }
  if (wanted(w, LayerPart::residual)) {
    b.part(LayerPart::residual);
    residual_forward(l, l.outer());
  }
}

void feed_forward_forward(const Layer& l, Wanted w) {
  OperationBuilder& b = l.b;
  const std::int64_t h = l.a.hidden;
  if (wanted(w, LayerPart::ffn_norm)) {
    b.part(LayerPart::ffn_norm);
    norm_forward(l, "feed-forward norm", l.outer());
  }
  if (wanted(w, LayerPart::ffn_up) || wanted(w, LayerPart::ffn_gate)) {
    b.part(LayerPart::ffn_up);
    quantize_input(b, l.s.precision, "quantize norm output", l.outer() * l.hidden(), true);
    const std::int32_t gathering = gather_input(l);
    if (l.a.gated() && l.c.separate_projections) {
      if (wanted(w, LayerPart::ffn_gate)) forward_product(l, "feed-forward gate", l.ffn(), h);
      if (wanted(w, LayerPart::ffn_up)) forward_product(l, "feed-forward up", l.ffn(), h);
    } else {
      forward_product(l, "feed-forward up", (l.a.gated() ? 2 : 1) * l.ffn(), h);
    }
    b.require(gathering);
  }
  if (wanted(w, LayerPart::activation)) {
    b.part(LayerPart::activation);
    activation_forward(l);
  }
  if (wanted(w, LayerPart::ffn_down)) {
    b.part(LayerPart::ffn_down);
    quantize_input(b, l.s.precision, "quantize activation",
                   l.inner() * static_cast<double>(l.ffn()), true);
    row_parallel_forward(l, "feed-forward down", l.ffn());
  }
  if (wanted(w, LayerPart::residual)) {
    b.part(LayerPart::residual);
    residual_forward(l, l.outer());
  }
}

OperationList layer_forward(const Architecture& a, const Slice& s, const KernelChoices& c) {
  OperationBuilder b;
  const Layer l{a, s, c, b};
  attention_forward(l, nullptr);
  feed_forward_forward(l, nullptr);
  return b.take();
}

}  // namespace forerun::models
