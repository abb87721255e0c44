#include "models/activation_memory.h"

#include <algorithm>

namespace forerun::models {
namespace {

using When = KeptActivation::When;

/// A tensor rank's share of columns: whole, as matrices are cut.
double columns(std::int64_t all, const Slice& s) {
  const std::int64_t share = all / s.tensor;
  return static_cast<double>(share);
}

/// Widths of one layer on one rank, in elements.
struct Widths {
  Widths(const Architecture& a, const Slice& s)
      : tokens(static_cast<double>(s.tokens())),
        outer(static_cast<double>(s.outer_tokens()) * static_cast<double>(a.hidden)),
        query(tokens * columns(a.query_width(), s)),
        kv(tokens * static_cast<double>(std::max(a.kv_width() / s.tensor, a.head_dim))),
        ffn(tokens * columns(a.ffn, s)),
        heads(tokens * static_cast<double>(a.heads) / static_cast<double>(s.tensor)),
        square(heads * static_cast<double>(s.sequence)) {}
  double tokens, outer, query, kv, ffn;
  double heads;   ///< one value a token and head
  double square;  ///< scores of every token with every token, all heads
};

/// Bytes an element of a stored input of a product. With recipes that cast weights once a step
/// (Transformer Engine) the 8-bit copy is what is stored; libraries that cast anew each time
/// (torchao, XLA) store the 16-bit input.
double stored_input(const Slice& s, const KernelChoices& c) {
  return is_low_precision(s.precision) && !c.weights_cast_every_micro_batch ? 1.0 : 2.0;
}

}  // namespace

std::vector<KeptActivation> layer_activations(const Architecture& a, const Slice& s,
                                              const KernelChoices& c) {
  using enum LayerPart;
  std::vector<KeptActivation> kept;
  const Widths w(a, s);
  const double input = stored_input(s, c);
  const bool low = input < 2.0;
  const auto keep = [&](std::string_view name, double bytes, LayerPart producer, LayerPart consumer,
                        When when = When::needed) {
    kept.push_back({name, Bytes(bytes), producer, consumer, when});
  };
  const LayerPart q = c.separate_projections ? query : qkv;
  const LayerPart k = c.separate_projections ? key : qkv;
  const LayerPart v = c.separate_projections ? value : qkv;
  const LayerPart gate = c.separate_projections ? ffn_gate : ffn_up;

  keep("layer input", 2 * w.outer, residual, attention_norm, When::always);
  keep("attention norm output", input * w.outer, attention_norm, q);
  if (a.qk_norm) keep("queries and keys before their norm", 2 * (w.query + w.kv), q, rotary);
  keep("queries", 2 * w.query, q, core_attention);
  keep("keys", 2 * w.kv, k, core_attention);
  keep("values", 2 * w.kv, v, core_attention);
  if (c.fused_attention) {
    keep("log-sum-exp", 4 * w.heads, core_attention, core_attention);
  } else {
    keep("softmax", 2 * w.square, core_attention, core_attention);
    if (c.dropout) {
      keep("dropped-out softmax and mask", 3 * w.square, core_attention, core_attention);
    }
  }
  keep("attention result", 2 * w.query, core_attention, attention_output);
  if (low) keep("attention result, 8 bit", w.query, core_attention, attention_output);
  keep("attention output", 2 * w.outer, attention_output, residual, When::recompute_only);
  if (c.dropout) keep("dropout masks", 2 * w.outer, residual, residual);
  keep("feed-forward norm input", 2 * w.outer, residual, ffn_norm);
  keep("feed-forward norm output", input * w.outer, ffn_norm, ffn_up);
  if (a.gated()) keep("gate", 2 * w.ffn, gate, activation);
  keep("activation input", 2 * w.ffn, ffn_up, activation);
  if (a.gated() && !c.fused_elementwise) keep("activated gate", 2 * w.ffn, activation, activation);
  keep("activation output", input * w.ffn, activation, ffn_down);
  keep("feed-forward output", 2 * w.outer, ffn_down, residual, When::recompute_only);
  return kept;
}

bool is_kept(const KeptActivation& tensor, const std::set<LayerPart>& redo) {
  if (tensor.when == When::always) return true;
  if (redo.contains(LayerPart::residual)) return !redo.contains(tensor.producer);
  if (tensor.when == When::recompute_only) return false;
  return !redo.contains(tensor.producer) || !redo.contains(tensor.consumer);
}

Bytes kept_bytes(const std::vector<KeptActivation>& tensors, const std::set<LayerPart>& redo) {
  Bytes sum{};
  for (const KeptActivation& t : tensors) {
    if (is_kept(t, redo)) sum += t.bytes;
  }
  return sum;
}

Transients layer_transients(const Architecture& a, const Slice& s, const KernelChoices& c) {
  const Widths w(a, s);
  const double whole = hidden_state(a, s).base();
  // Output of a product cut by rows, before it is reduced, and the gathered input of the next.
  const double exchanged = s.tensor > 1 && s.sequence_parallel ? 2 * whole : whole;
  double keys = 0;
  if (s.context > 1 && s.context_exchange == ContextExchange::all_gather) {
    keys = 4 * w.kv * static_cast<double>(s.context);
  } else if (s.context > 1 && s.context_exchange == ContextExchange::ring) {
    keys = 2 * 4 * w.kv;  // the block in use and the one that arrives
  }
  const double scores = c.fused_attention ? 0.0 : 2 * w.square;

  Transients t;
  t.forward = Bytes(exchanged + 2 * w.outer + keys + scores);
  // Gradients of the activation's inputs and output, less the output that its product no longer
  // needs; in attention, after the feed-forward part's tensors have gone, two squares.
  const double feed_forward = (a.gated() ? 2 : 1) * 2 * w.ffn + exchanged;
  const double freed = (a.gated() ? 6 : 4) * w.ffn;
  const double attention = 2 * scores + 2 * (3 * w.query + 2 * w.kv) + keys - freed;
  t.backward = Bytes(std::max(feed_forward, attention));
  return t;
}

Bytes embedding_activations(const Architecture& a, const Slice& s, const KernelChoices& c) {
  Bytes sum{};
  if (a.embedding_norm) sum += outer_hidden_state(a, s);
  if (c.dropout) sum += 0.5 * outer_hidden_state(a, s);
  return sum;
}

Bytes hidden_state(const Architecture& a, const Slice& s) {
  return Bytes(2.0 * static_cast<double>(s.tokens()) * static_cast<double>(a.hidden));
}

Bytes outer_hidden_state(const Architecture& a, const Slice& s) {
  return Bytes(2.0 * static_cast<double>(s.outer_tokens()) * static_cast<double>(a.hidden));
}

}  // namespace forerun::models
