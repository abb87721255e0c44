#include "models/latent_projections.h"

#include "models/parallel_products.h"

namespace forerun::models {
namespace {

using hw::CollectiveKind;

struct Latent {
  explicit Latent(const Layer& layer) : l(layer), m(*layer.a.latent_attention) {}
  const Layer& l;
  const LatentAttention& m;

  [[nodiscard]] std::int64_t query() const { return l.heads() * m.qk_head_dim(); }
  [[nodiscard]] std::int64_t key_value() const {
    return l.heads() * (m.nope_head_dim + m.v_head_dim);
  }
  [[nodiscard]] std::int64_t down() const { return m.kv_rank + m.rope_head_dim; }
  /// Heads' queries and keys, put together from their parts with and without position.
  [[nodiscard]] double joined() const { return l.inner() * static_cast<double>(2 * query()); }

  void exchange(std::string_view name, CollectiveKind kind) const {
    if (l.s.tensor == 1 || !l.s.sequence_parallel) return;
    const double width = static_cast<double>(m.query_rank + down());
    l.b.exchange(name, kind, 2.0 * l.inner() * width, Dimension::tensor);
  }
  void norm(std::string_view name, std::int64_t width, bool backward) const {
    const double elements = l.outer() * static_cast<double>(width);
    if (backward) {
      l.b.memory(name, elements, 4 + 4, 2, 2);
    } else {
      l.b.memory(name, elements, 2, 2);
    }
  }
  [[nodiscard]] Rows outer() const { return {l.s.outer_tokens()}; }
  [[nodiscard]] Rows inner() const { return {l.s.tokens()}; }
};

bool wanted(Wanted w, LayerPart p) { return w == nullptr || w->contains(p); }

}  // namespace

void latent_forward(const Layer& l, Wanted w) {
  const Latent t(l);
  OperationBuilder& b = l.b;
  const std::int64_t h = l.a.hidden;
  if (wanted(w, LayerPart::qkv)) {
    b.part(LayerPart::qkv);
    if (t.m.query_rank > 0) {
      forward_product(l, "query down", t.m.query_rank, h, t.outer());
      t.norm("query latent norm", t.m.query_rank, false);
    }
    forward_product(l, "key, value down", t.down(), h, t.outer());
    t.norm("key, value latent norm", t.m.kv_rank, false);
    t.exchange("gather latents", CollectiveKind::all_gather);
  }
  if (wanted(w, LayerPart::latent_up)) {
    b.part(LayerPart::latent_up);
    const bool down = t.m.query_rank > 0;
    forward_product(l, down ? "query up" : "query", t.query(), down ? t.m.query_rank : h,
                    t.inner());
    forward_product(l, "key, value up", t.key_value(), t.m.kv_rank, t.inner());
    b.memory("rotate and join heads", t.joined(), 2, 2, l.c.fused_rotary ? 2 : 8);
  }
}

void latent_backward(const Layer& l) {
  const Latent t(l);
  OperationBuilder& b = l.b;
  const std::int64_t h = l.a.hidden;
  const bool down = t.m.query_rank > 0;
  b.part(LayerPart::latent_up);
  b.memory("rotate and join heads gradient", t.joined(), 2, 2, l.c.fused_rotary ? 2 : 8);
  input_gradient(l, "key, value up input gradient", t.key_value(), t.m.kv_rank, t.inner());
  weight_gradient(l, "key, value up weight gradient", t.key_value(), t.m.kv_rank, t.inner());
  input_gradient(l, down ? "query up input gradient" : "query input gradient", t.query(),
                 down ? t.m.query_rank : h, t.inner());
  weight_gradient(l, down ? "query up weight gradient" : "query weight gradient", t.query(),
                  down ? t.m.query_rank : h, t.inner());
  b.part(LayerPart::qkv);
  t.exchange("scatter latent gradients", CollectiveKind::reduce_scatter);
  t.norm("key, value latent norm gradient", t.m.kv_rank, true);
  input_gradient(l, "key, value down input gradient", t.down(), h, t.outer());
  weight_gradient(l, "key, value down weight gradient", t.down(), h, t.outer());
  if (down) {
    t.norm("query latent norm gradient", t.m.query_rank, true);
    input_gradient(l, "query down input gradient", t.m.query_rank, h, t.outer());
    weight_gradient(l, "query down weight gradient", t.m.query_rank, h, t.outer());
  }
  b.memory("add input gradients", l.outer() * l.hidden(), 4, 2);
}

}  // namespace forerun::models
