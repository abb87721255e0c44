#include "models/layer_operations.h"

#include "models/low_precision.h"
#include "models/operation_builder.h"

namespace forerun::models {
namespace {

using hw::CollectiveKind;
using hw::Gemm;

/// Everything a pass over a layer needs, so that forward and recompute are the same code.
struct Layer {
  const Architecture& a;
  const Slice& s;
  const KernelChoices& c;
  OperationBuilder& b;

  [[nodiscard]] double inner() const { return static_cast<double>(s.tokens()); }
  [[nodiscard]] double outer() const { return static_cast<double>(s.outer_tokens()); }
  [[nodiscard]] double hidden() const { return static_cast<double>(a.hidden); }
  [[nodiscard]] std::int64_t heads() const { return a.heads / s.tensor; }
  /// Key/value heads of one tensor rank; fewer heads than ranks are replicated.
  [[nodiscard]] std::int64_t kv_heads() const {
    return a.kv_heads >= s.tensor ? a.kv_heads / s.tensor : 1;
  }
  [[nodiscard]] std::int64_t query_width() const { return heads() * a.head_dim; }
  [[nodiscard]] std::int64_t kv_width() const { return kv_heads() * a.head_dim; }
  [[nodiscard]] std::int64_t ffn() const { return a.ffn / s.tensor; }
  [[nodiscard]] hw::Precision precision() const { return product_precision(s.precision); }
  [[nodiscard]] std::int64_t sequence_here() const { return s.sequence / s.context; }
};

// ---- matrix products --------------------------------------------------------------------------

void forward_product(const Layer& l, std::string_view name, std::int64_t n, std::int64_t k) {
  l.b.kernel(name, Gemm{l.s.tokens(), n, k, l.precision()});
}

void input_gradient(const Layer& l, std::string_view name, std::int64_t n, std::int64_t k) {
  l.b.kernel(name, Gemm{l.s.tokens(), k, n, l.precision()});
}

/// dW[n,k]. Without a fused accumulation the product writes a 16-bit gradient that a second kernel
/// adds to the buffer.
void weight_gradient(const Layer& l, std::string_view name, std::int64_t n, std::int64_t k) {
  const bool fused = l.c.fused_gradient_accumulation;
  l.b.kernel(name, Gemm{n, k, l.s.tokens(), l.precision(), 1, fused && l.c.gradient_bytes == 4});
  if (!fused) {
    l.b.memory("accumulate gradient", static_cast<double>(n * k), 2.0 + l.c.gradient_bytes,
               l.c.gradient_bytes);
  }
}

// ---- tensor-parallel exchanges ----------------------------------------------------------------

/// Bytes of an element as it is gathered: low precision gathers the cast activation.
double gathered_bytes(const Layer& l) { return is_low_precision(l.s.precision) ? 1.0 : 2.0; }

/// Into a column-parallel product: the sequence shards are gathered, beside the product when the
/// framework splits the exchange over the ring (all but the first piece is hidden).
std::int32_t gather_input(const Layer& l) {
  if (l.s.tensor == 1 || !l.s.sequence_parallel) return -1;
  const double bytes = gathered_bytes(l) * l.inner() * l.hidden();
  if (!l.c.tensor_overlap) {
    l.b.exchange("gather sequence", CollectiveKind::all_gather, bytes, Dimension::tensor);
    return -1;
  }
  const double piece = 1.0 / static_cast<double>(l.s.tensor);
  l.b.exchange("gather sequence", CollectiveKind::all_gather, bytes, Dimension::tensor, piece);
  return l.b.exchange_async("gather sequence", CollectiveKind::all_gather, bytes, Dimension::tensor,
                            1.0 - piece);
}

/// Before a row-parallel product whose partial sums are exchanged in pieces as they come.
std::int32_t begin_reduce_output(const Layer& l) {
  if (l.s.tensor == 1 || !l.s.sequence_parallel || !l.c.tensor_overlap) return -1;
  const double piece = 1.0 / static_cast<double>(l.s.tensor);
  return l.b.exchange_async("reduce partial sums", CollectiveKind::reduce_scatter,
                            2.0 * l.inner() * l.hidden(), Dimension::tensor, 1.0 - piece);
}

/// After a row-parallel product.
void end_reduce_output(const Layer& l, std::int32_t begun) {
  if (l.s.tensor == 1) return;
  const double bytes = 2.0 * l.inner() * l.hidden();
  if (!l.s.sequence_parallel) {
    l.b.exchange("reduce partial sums", CollectiveKind::all_reduce, bytes, Dimension::tensor);
  } else if (begun >= 0) {
    l.b.exchange("reduce partial sums", CollectiveKind::reduce_scatter, bytes, Dimension::tensor,
                 1.0 / static_cast<double>(l.s.tensor));
  } else {
    l.b.exchange("reduce partial sums", CollectiveKind::reduce_scatter, bytes, Dimension::tensor);
  }
}

// ---- elementwise kernels ----------------------------------------------------------------------

void norm_forward(const Layer& l, std::string_view name, double tokens) {
  const double elements = tokens * l.hidden();
  if (l.c.fused_norm) {
    l.b.memory(name, elements, 2, 2);
  } else {
    // cast, square, mean, scale, cast back, weight: separate kernels over 32-bit intermediates.
    l.b.memory(name, elements, 2 + 4 + 4 + 4 + 4 + 2, 4 + 4 + 0 + 4 + 2 + 2, 6);
  }
}

void norm_backward(const Layer& l, std::string_view name, double tokens) {
  const double elements = tokens * l.hidden();
  if (l.c.fused_norm) {
    l.b.memory(name, elements, 4, 2);
    l.b.memory("norm weight gradient", elements, 4, 0);
  } else {
    l.b.memory(name, elements, 2 + 2 + 4 + 4 + 4 + 4 + 4 + 4, 2 + 4 + 4 + 4 + 4 + 2, 9);
  }
}

/// Output bias, dropout and the residual: one fused kernel or one each.
void residual_forward(const Layer& l, double tokens) {
  const double elements = tokens * l.hidden();
  const double mask = l.c.dropout ? 1 : 0;
  if (l.c.fused_elementwise || (!l.a.linear_bias && !l.c.dropout)) {
    l.b.memory("residual", elements, 4, 2 + mask);
    return;
  }
  if (l.a.linear_bias) l.b.memory("bias", elements, 2, 2);
  if (l.c.dropout) l.b.memory("dropout", elements, 2, 2 + mask);
  l.b.memory("residual", elements, 4, 2);
}

void residual_backward(const Layer& l, double tokens) {
  const double elements = tokens * l.hidden();
  if (l.c.dropout) l.b.memory("dropout gradient", elements, 2 + 1, 2);
  if (l.a.linear_bias) l.b.memory("bias gradient", elements, 2, 0);
}

/// The residual branch's gradient joins that of the norm's input.
void join_gradient(const Layer& l, double tokens) {
  l.b.memory("join residual gradient", tokens * l.hidden(), 4, 2);
}

void activation_forward(const Layer& l) {
  const double elements = l.inner() * static_cast<double>(l.ffn());
  if (l.a.gated()) {
    if (l.c.fused_elementwise) {
      l.b.memory("activation", elements, 4, 2);
    } else {
      l.b.memory("activation", elements, 2 + 4, 2 + 2, 2);
    }
  } else if (l.c.fused_elementwise || !l.a.linear_bias) {
    l.b.memory("activation", elements, 2, 2);
  } else {
    l.b.memory("activation", elements, 2 + 2, 2 + 2, 2);
  }
}

void activation_backward(const Layer& l) {
  const double elements = l.inner() * static_cast<double>(l.ffn());
  if (l.a.gated()) {
    if (l.c.fused_elementwise) {
      l.b.memory("activation gradient", elements, 6, 4);
    } else {
      l.b.memory("activation gradient", elements, 4 + 4 + 4, 2 + 2 + 2, 3);
    }
  } else {
    l.b.memory("activation gradient", elements, 4, 2);
  }
  if (l.a.linear_bias) l.b.memory("bias gradient", elements, 2, 0);
}

// ---- core attention ---------------------------------------------------------------------------

hw::Attention fused(const Layer& l, hw::Pass pass, std::int64_t queries, std::int64_t keys,
                    bool causal) {
  return {pass,      l.c.attention, l.s.micro_batch, queries, keys,
          l.heads(), l.kv_heads(),  l.a.head_dim,    causal,  l.a.position == Position::alibi};
}

/// Two batched products and a softmax over the square of the sequence (before fused attention).
void unfused_attention(const Layer& l, hw::Pass pass) {
  const std::int64_t q = l.sequence_here(), kv = l.s.sequence, batch = l.s.micro_batch * l.heads();
  const double scores =
      static_cast<double>(batch) * static_cast<double>(q) * static_cast<double>(kv);
  const double out = l.inner() * static_cast<double>(l.query_width());
  // Attention stays 16 bit under every recipe.
  const hw::Precision p =
      l.s.precision == PrecisionRecipe::fp16 ? hw::Precision::fp16 : hw::Precision::bf16;
  const auto product = [&](std::string_view name, std::int64_t m, std::int64_t n, std::int64_t k) {
    l.b.kernel(name, Gemm{m, n, k, p, batch});
  };
  const double bias = l.a.position == Position::alibi ? 2 : 0;
  if (pass == hw::Pass::forward) {
    product("scores", q, kv, l.a.head_dim);
    if (bias > 0) l.b.memory("alibi", scores, bias, 0, 0);  // read in the product's epilogue
    l.b.memory("softmax", scores, 2, 2);
    if (l.c.dropout) l.b.memory("attention dropout", scores, 2, 3);
    product("context", q, l.a.head_dim, kv);
    l.b.memory("transpose context", out, 2, 2);
    return;
  }
  l.b.memory("transpose context gradient", out, 2, 2);
  product("probability gradient", q, kv, l.a.head_dim);
  product("value gradient", kv, l.a.head_dim, q);
  if (l.c.dropout) l.b.memory("attention dropout gradient", scores, 3, 2);
  l.b.memory("softmax gradient", scores, 4, 2);
  product("query gradient", q, l.a.head_dim, kv);
  product("key gradient", kv, l.a.head_dim, q);
}

/// Ring attention: each of `context` steps attends to one block of keys while the next block
/// travels. Blocks are paired so that every rank has the same causal work: the first step is causal
/// over its own block, each later one half of a full block (Megatron-Core, Transformer Engine).
void ring_attention(const Layer& l, hw::Pass pass) {
  const std::int64_t local = l.sequence_here();
  const double blocks = pass == hw::Pass::forward ? 2 : 4;  // keys, values (and their gradients)
  const double bytes = blocks * 2.0 * l.inner() * static_cast<double>(l.kv_width());
  for (std::int64_t step = 0; step < l.s.context; ++step) {
    std::int32_t next = -1;
    if (step + 1 < l.s.context) {
      next = l.b.exchange_async("pass keys and values", CollectiveKind::send_receive, bytes,
                                Dimension::context);
    }
    if (step == 0) {
      l.b.kernel("attention", fused(l, pass, local, local, true));
    } else {
      l.b.kernel("attention", fused(l, pass, local, local / 2, false));
      if (pass == hw::Pass::forward) {
        // Partial results are combined by their log-sum-exp.
        l.b.memory("combine partial attention", l.inner() * static_cast<double>(l.query_width()), 4,
                   2, 2);
      }
    }
    l.b.require(next);
  }
}

void core_attention(const Layer& l, hw::Pass pass) {
  const bool forward = pass == hw::Pass::forward;
  if (!l.c.fused_attention) {
    unfused_attention(l, pass);
    return;
  }
  if (l.s.context == 1) {
    l.b.kernel(forward ? "attention" : "attention gradient",
               fused(l, pass, l.s.sequence, l.s.sequence, true), forward ? 1 : 3);
    return;
  }
  const double kv_bytes =
      2.0 * 2.0 * static_cast<double>(l.s.micro_batch * l.s.sequence * l.kv_width());
  switch (l.s.context_exchange) {
    case ContextExchange::ring:
      ring_attention(l, pass);
      return;
    case ContextExchange::all_gather:
      // Keys and values are gathered; their gradients are reduce-scattered.
      l.b.exchange("gather keys and values", CollectiveKind::all_gather, kv_bytes,
                   Dimension::context);
      // Paired blocks: each rank's causal share is the mean one.
      l.b.kernel(forward ? "attention" : "attention gradient",
                 fused(l, pass, l.sequence_here(), l.s.sequence / 2, false), forward ? 1 : 3);
      if (!forward) {
        l.b.exchange("reduce key and value gradients", CollectiveKind::reduce_scatter, kv_bytes,
                     Dimension::context);
      }
      return;
    case ContextExchange::all_to_all: {
      // Heads are traded for sequence: query, key, value in, context out.
      const double in = 2.0 * l.inner() * static_cast<double>(l.query_width() + 2 * l.kv_width());
      const double out = 2.0 * l.inner() * static_cast<double>(l.query_width());
      hw::Attention a = fused(l, pass, l.s.sequence, l.s.sequence, true);
      a.heads = std::max<std::int64_t>(1, a.heads / l.s.context);
      a.kv_heads = std::max<std::int64_t>(1, a.kv_heads / l.s.context);
      l.b.exchange("trade heads for sequence", CollectiveKind::all_to_all, forward ? in : out,
                   Dimension::context);
      l.b.kernel(forward ? "attention" : "attention gradient", a, forward ? 1 : 3);
      l.b.exchange("trade sequence for heads", CollectiveKind::all_to_all, forward ? out : in,
                   Dimension::context);
      return;
    }
  }
}

void rotary(const Layer& l, std::string_view name) {
  if (l.a.position != Position::rotary) return;
  const double elements = l.inner() * static_cast<double>(l.query_width() + l.kv_width());
  if (l.c.fused_rotary) {
    l.b.memory(name, elements, 2, 2, 2);
  } else {
    // To complex 32 bit, multiply, back.
    l.b.memory(name, elements, 2 + 4 + 4, 4 + 4 + 2, 8);
  }
}

// ---- a pass over a layer ----------------------------------------------------------------------

/// Which parts of a forward pass are issued: all of them, or those that recompute redoes.
using Wanted = const std::set<LayerPart>*;
bool wanted(Wanted w, LayerPart p) { return w == nullptr || w->contains(p); }

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
    const std::int32_t begun = begin_reduce_output(l);
    forward_product(l, "attention output", h, l.query_width());
    end_reduce_output(l, begun);
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
    const std::int32_t begun = begin_reduce_output(l);
    forward_product(l, "feed-forward down", h, l.ffn());
    end_reduce_output(l, begun);
  }
  if (wanted(w, LayerPart::residual)) {
    b.part(LayerPart::residual);
    residual_forward(l, l.outer());
  }
}

/// Backward of a row-parallel product (attention output, feed-forward down): n = hidden, k cut.
void row_parallel_backward(const Layer& l, std::string_view dx, std::string_view dw,
                           std::int64_t k) {
  const bool sequence = l.s.tensor > 1 && l.s.sequence_parallel;
  quantize_gradient(l.b, l.s.precision, "quantize output gradient", l.outer() * l.hidden());
  const std::int32_t gathering = sequence ? gather_input(l) : -1;
  input_gradient(l, dx, l.a.hidden, k);
  l.b.require(gathering);
  weight_gradient(l, dw, l.a.hidden, k);
}

/// Backward of a column-parallel product: the input is gathered again beside the input-gradient
/// product (it was kept in shards), the input gradient is reduced beside the weight-gradient
/// product.
struct Column {
  std::string_view dx, dw;
  std::int64_t n;
};
void column_parallel_backward(const Layer& l, const std::vector<Column>& products,
                              double gradient_width) {
  const bool tensor = l.s.tensor > 1;
  const bool sequence = tensor && l.s.sequence_parallel;
  const double bytes = 2.0 * l.inner() * l.hidden();
  quantize_gradient(l.b, l.s.precision, "quantize output gradient", l.inner() * gradient_width);
  std::int32_t input = -1;
  if (sequence) {
    const double in = gathered_bytes(l) * l.inner() * l.hidden();
    if (l.c.tensor_gradient_overlap || l.c.tensor_overlap) {
      input = l.b.exchange_async("gather sequence again", CollectiveKind::all_gather, in,
                                 Dimension::tensor);
    } else {
      l.b.exchange("gather sequence again", CollectiveKind::all_gather, in, Dimension::tensor);
    }
  }
  for (const Column& p : products) input_gradient(l, p.dx, p.n, l.a.hidden);
  if (products.size() > 1) {
    l.b.memory("add input gradients", l.inner() * l.hidden(),
               4.0 * static_cast<double>(products.size() - 1),
               2.0 * static_cast<double>(products.size() - 1),
               static_cast<int>(products.size()) - 1);
  }
  l.b.require(input);
  std::int32_t reducing = -1;
  if (tensor) {
    const CollectiveKind kind =
        sequence ? CollectiveKind::reduce_scatter : CollectiveKind::all_reduce;
    if (l.c.tensor_gradient_overlap || (sequence && l.c.tensor_overlap)) {
      reducing = l.b.exchange_async("reduce input gradient", kind, bytes, Dimension::tensor);
    } else {
      l.b.exchange("reduce input gradient", kind, bytes, Dimension::tensor);
    }
  }
  for (const Column& p : products) weight_gradient(l, p.dw, p.n, l.a.hidden);
  l.b.require(reducing);
}

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

OperationList layer_forward(const Architecture& a, const Slice& s, const KernelChoices& c) {
  OperationBuilder b;
  const Layer l{a, s, c, b};
  attention_forward(l, nullptr);
  feed_forward_forward(l, nullptr);
  return b.take();
}

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
