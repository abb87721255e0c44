#include "models/attention_operations.h"
#include "models/elementwise_operations.h"
#include "models/layer_forward.h"
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

}  // namespace

OperationList layer_backward(const Architecture& a, const Slice& s, const KernelChoices& c,
                             const std::set<LayerPart>& redo, bool full_recompute) {
  OperationBuilder b;
  const Layer l{a, s, c, b};
  const Wanted parts = full_recompute ? nullptr : &redo;
  const auto again = [&](auto&& pass) {
    b.recomputed(true);
    pass(l, parts);
    b.recomputed(false);
  };
  if (full_recompute) again(attention_forward);
  if (full_recompute || !redo.empty()) again(feed_forward_forward);

  b.part(LayerPart::ffn_down);
  residual_backward(l, l.outer());
  row_parallel_backward(l, "feed-forward down input gradient", "feed-forward down weight gradient",
                        l.ffn());
  b.part(LayerPart::activation);
  activation_backward(l);
  b.part(LayerPart::ffn_up);
  column_parallel_backward(l, up_products(l), static_cast<double>((a.gated() ? 2 : 1) * l.ffn()));
  b.part(LayerPart::ffn_norm);
  norm_backward(l, "feed-forward norm gradient", l.outer());
  join_gradient(l, l.outer());

  if (!full_recompute && !redo.empty()) again(attention_forward);
  b.part(LayerPart::attention_output);
  residual_backward(l, l.outer());
  row_parallel_backward(l, "attention output input gradient", "attention output weight gradient",
                        l.query_width());
  b.part(LayerPart::core_attention);
  core_attention(l, hw::Pass::backward);
  b.part(LayerPart::rotary);
  rotary(l, "rotary gradient");
  b.part(LayerPart::qkv);
  const double width = static_cast<double>(l.query_width() + 2 * l.kv_width());
  if (a.linear_bias) b.memory("bias gradient", l.inner() * width, 2, 0);
  column_parallel_backward(l, qkv_products(l), width);
  b.part(LayerPart::attention_norm);
  norm_backward(l, "attention norm gradient", l.outer());
  join_gradient(l, l.outer());
  return b.take();
}

}  // namespace forerun::models
