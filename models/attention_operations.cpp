#include "models/attention_operations.h"

#include <algorithm>

namespace forerun::models {
namespace {

using hw::CollectiveKind;
using hw::Gemm;

hw::Attention fused(const Layer& l, hw::Pass pass, std::int64_t queries, std::int64_t keys,
                    bool causal) {
  hw::Attention a{
      pass,      l.c.attention, l.s.micro_batch, queries, keys,
      l.heads(), l.kv_heads(),  l.a.head_dim,    causal,  l.a.position == Position::alibi};
  a.pairs_share = l.s.pairs_share;
  if (l.a.latent_attention) {
    a.kv_heads = a.heads;
    a.head_dim = l.a.latent_attention->qk_head_dim();
    a.v_head_dim = l.a.latent_attention->v_head_dim;
  }
  if (l.a.bidirectional) a.causal = false;
  // Blocks of a chunk see, on average, half of it.
  if (l.a.window) a.window = l.a.window->chunked ? l.a.window->tokens / 2 : l.a.window->tokens;
  if (l.s.thought > 0) {
    a.keys *= 1 + l.s.thought;
    a.causal = false;
  }
  return a;
}

/// Two batched products and a softmax over the square of the sequence (before fused attention). The
/// products do the whole square; the causal softmax kernel reads its lower triangle, half of it,
/// and writes the whole, forward and backward (NVIDIA/Megatron-LM megatron/fused_kernels,
/// scaled_upper_triang_masked_softmax).
void unfused_attention(const Layer& l, hw::Pass pass) {
  const std::int64_t q = l.sequence_here(), kv = l.s.sequence * (1 + l.s.thought),
                     batch = l.s.micro_batch * l.heads();
  const double scores =
      static_cast<double>(batch) * static_cast<double>(q) * static_cast<double>(kv);
  const double out = l.inner() * static_cast<double>(l.query_width());
  const hw::Precision p = sixteen_bit(l.s.precision);
  const auto product = [&](std::string_view name, std::int64_t m, std::int64_t n, std::int64_t k) {
    l.b.kernel(name, Gemm{m, n, k, p, batch});
  };
  const double bias = l.a.position == Position::alibi ? 2 : 0;
  if (pass == hw::Pass::forward) {
    product("scores", q, kv, l.a.head_dim);
    if (bias > 0) l.b.memory("alibi", scores, bias, 0, 0);  // read in the product's epilogue
    l.b.memory("softmax", scores, 1, 2);
    if (l.c.dropout) l.b.memory("attention dropout", scores, 2, 3);
    product("context", q, l.a.head_dim, kv);
    l.b.memory("transpose context", out, 2, 2);
    return;
  }
  l.b.memory("transpose context gradient", out, 2, 2);
  product("probability gradient", q, kv, l.a.head_dim);
  product("value gradient", kv, l.a.head_dim, q);
  if (l.c.dropout) l.b.memory("attention dropout gradient", scores, 3, 2);
  l.b.memory("softmax gradient", scores, 2, 2);
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

}  // namespace

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

}  // namespace forerun::models
