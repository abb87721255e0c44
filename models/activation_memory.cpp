#include "models/activation_memory.h"

#include <algorithm>
#include <utility>

#include "models/depth_routing.h"
#include "models/expert_operations.h"
#include "models/layer.h"

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

namespace {

/// Collects what a layer keeps.
class Kept {
 public:
  Kept(const Architecture& a, const Slice& s, const KernelChoices& c)
      : a_(a),
        s_(s),
        c_(c),
        w_(a, s),
        input_(stored_input(s, c)),
        compact_(c.compact_activations && input_ < 2.0),
        activated_(compact_ ? 1.0 : 2.0) {}

  std::vector<KeptActivation> layer() {
    using enum LayerPart;
    keep("layer input", 2 * w_.outer, residual, attention_norm, When::always);
    const LayerPart q = a_.latent_attention ? qkv : c_.separate_projections ? query : qkv;
    keep("attention norm output", input_ * w_.outer, attention_norm, q);
    if (a_.latent_attention) {
      latent_heads();
    } else {
      heads();
    }
    attention();
    keep("feed-forward norm input", 2 * w_.outer, residual, ffn_norm);
    bool dense = false;
    const std::vector<WeightSet> sets = feed_forward_sets(a_);
    for (const WeightSet& set : sets) dense |= set.experts == 0;
    keep("feed-forward norm output", input_ * w_.outer, ffn_norm, dense ? ffn_up : router);
    for (const WeightSet& set : sets) {
      const double share = static_cast<double>(rows_of(set, s_, s_.tokens())) / w_.tokens;
      if (set.experts == 0) {
        dense_feed_forward(share);
      } else {
        experts(set);
        if (a_.experts->shared > 0) shared(share);
      }
    }
    keep("feed-forward output", 2 * w_.outer, dense ? ffn_down : combine, residual,
         When::recompute_only);
    if (sets.size() > 1 || attention_sets(a_).size() > 1) gathered_rows();
    return std::move(kept_);
  }

 private:
  void keep(std::string_view name, double bytes, LayerPart producer, LayerPart consumer,
            When when = When::needed) {
    kept_.push_back({name, Bytes(bytes), producer, consumer, when});
  }

  void heads() {
    using enum LayerPart;
    const bool apart = c_.separate_projections;
    const LayerPart q = apart ? query : qkv, k = apart ? key : qkv, v = apart ? value : qkv;
    if (a_.qk_norm) keep("queries and keys before their norm", 2 * (w_.query + w_.kv), q, rotary);
    keep("queries", 2 * w_.query, q, core_attention);
    keep("keys", 2 * w_.kv, k, core_attention);
    keep("values", 2 * w_.kv, v, core_attention);
  }

  void latent_heads() {
    using enum LayerPart;
    const LatentAttention& m = *a_.latent_attention;
    // Latents before and after their norms; the rotated part of keys has none.
    const double latents = static_cast<double>(m.query_rank + m.kv_rank);
    keep("latents", 2 * w_.tokens * (latents + static_cast<double>(m.rope_head_dim)), qkv, qkv);
    keep("latent norm outputs", input_ * w_.tokens * latents, qkv, latent_up);
    keep("queries", 2 * w_.heads * static_cast<double>(m.qk_head_dim()), latent_up, core_attention);
    keep("keys", 2 * w_.heads * static_cast<double>(m.qk_head_dim()), latent_up, core_attention);
    keep("values", 2 * w_.heads * static_cast<double>(m.v_head_dim), latent_up, core_attention);
  }

  void attention() {
    using enum LayerPart;
    const double result = a_.latent_attention
                              ? w_.heads * static_cast<double>(a_.latent_attention->v_head_dim)
                              : w_.query;
    if (c_.fused_attention) {
      keep("log-sum-exp", 4 * w_.heads, core_attention, core_attention);
    } else {
      keep("softmax", 2 * w_.square, core_attention, core_attention);
      if (c_.dropout) {
        keep("dropped-out softmax and mask", 3 * w_.square, core_attention, core_attention);
      }
    }
    keep("attention result", (compact_ ? 1.5 : 2.0) * result, core_attention, attention_output);
    if (input_ < 2.0 && !compact_)
      keep("attention result, 8 bit", result, core_attention, attention_output);
    keep("attention output", 2 * w_.outer, attention_output, residual, When::recompute_only);
    if (c_.dropout) keep("dropout masks", 2 * w_.outer, residual, residual);
  }

  void dense_feed_forward(double share) {
    using enum LayerPart;
    const double ffn = share * w_.ffn;
    if (a_.gated())
      keep("gate", activated_ * ffn, c_.separate_projections ? ffn_gate : ffn_up, activation);
    keep("activation input", activated_ * ffn, ffn_up, activation);
    if (a_.gated() && !c_.fused_elementwise)
      keep("activated gate", 2 * ffn, activation, activation);
    keep("activation output", input_ * ffn, activation, ffn_down);
  }

  void experts(const WeightSet& set) {
    using enum LayerPart;
    const Experts& e = *a_.experts;
    const ExpertRows r = expert_rows(a_, s_, set, rows_of(set, s_, s_.outer_tokens()));
    const double rows = r.received * static_cast<double>(s_.expert_tensor);
    const std::int64_t width = e.ffn / s_.expert_tensor;
    const double ffn = rows * static_cast<double>(width);
    const double tokens = r.routed / static_cast<double>(e.top_k);
    // 32-bit scores and their softmax, and which expert took which token.
    keep("router scores", tokens * static_cast<double>(set.experts) * (4 + 4 + 1), router, router);
    keep("tokens of experts", input_ * rows * static_cast<double>(a_.hidden), dispatch, expert_up);
    keep("experts activation input", (a_.gated() ? 2 : 1) * activated_ * ffn, expert_up,
         expert_activation);
    keep("experts activation output", input_ * ffn, expert_activation, expert_down);
    // Weighed by a pass of its own, whose gradient reads them.
    if (e.routing == Routing::expert_choice) {
      keep("experts outputs", 2 * rows * static_cast<double>(a_.hidden), expert_down, combine);
    }
  }

  void shared(double share) {
    using enum LayerPart;
    const Experts& e = *a_.experts;
    const std::int64_t width = e.shared * e.shared_ffn / s_.tensor;
    const double ffn = share * w_.tokens * static_cast<double>(width);
    keep("shared experts activation input", (a_.gated() ? 2 : 1) * activated_ * ffn,
         LayerPart::shared_experts, LayerPart::shared_experts);
    keep("shared experts activation output", input_ * ffn, LayerPart::shared_experts,
         LayerPart::shared_experts);
  }

  /// Rows gathered by modality are the inputs of their products, beside the merged tensors.
  void gathered_rows() {
    using enum LayerPart;
    const double hidden = w_.tokens * static_cast<double>(a_.hidden);
    if (attention_sets(a_).size() > 1) {
      keep("attention input by modality", 2 * hidden, qkv, qkv);
      keep("attention result by modality", 2 * w_.query, attention_output, attention_output);
    }
    if (feed_forward_sets(a_).size() > 1) {
      keep("feed-forward input by modality", 2 * hidden, ffn_norm, ffn_up);
    }
  }

  const Architecture& a_;
  const Slice& s_;
  const KernelChoices& c_;
  Widths w_;
  double input_;
  bool compact_;
  double activated_;  ///< bytes an element of an activation's input
  std::vector<KeptActivation> kept_;
};

}  // namespace

std::vector<KeptActivation> layer_activations(const Architecture& a, const Slice& s,
                                              const KernelChoices& c) {
  const Slice some = routed_slice(a, s);
  std::vector<KeptActivation> kept = Kept(a, some, c).layer();
  if (a.thoughts) {
    // Every pass keeps its own until the backward pass.
    for (KeptActivation& t : kept) t.bytes = static_cast<double>(a.thoughts->passes()) * t.bytes;
  }
  if (a.depth_routing) {
    kept.push_back({"tokens before depth routing", outer_hidden_state(a, s), LayerPart::residual,
                    LayerPart::router, KeptActivation::When::always});
  }
  return kept;
}

namespace {

/// Megatron-Core recomputes these with CheckpointWithoutOutput: their outputs go once the
/// operations after them have run, and are made again before those run backward.
bool gives_up_output(LayerPart p) {
  return p == LayerPart::attention_norm || p == LayerPart::ffn_norm || p == LayerPart::latent_up ||
         p == LayerPart::expert_activation;
}

}  // namespace

bool is_kept(const KeptActivation& tensor, const std::set<LayerPart>& redo) {
  if (tensor.when == When::always) return true;
  if (redo.contains(LayerPart::residual)) return !redo.contains(tensor.producer);
  if (tensor.when == When::recompute_only) return false;
  if (!redo.contains(tensor.producer)) return true;
  return !gives_up_output(tensor.producer) && !redo.contains(tensor.consumer);
}

Bytes kept_bytes(const std::vector<KeptActivation>& tensors, const std::set<LayerPart>& redo) {
  Bytes sum{};
  for (const KeptActivation& t : tensors) {
    if (is_kept(t, redo)) sum += t.bytes;
  }
  return sum;
}

namespace {

/// Rows of routed experts on this rank, of all sets.
double expert_rows_here(const Architecture& a, const Slice& s) {
  double rows = 0;
  if (!a.experts) return rows;
  for (const WeightSet& set : feed_forward_sets(a)) {
    if (set.experts == 0) continue;
    rows += expert_rows(a, s, set, rows_of(set, s, s.outer_tokens())).received;
  }
  return rows * static_cast<double>(s.expert_tensor);
}

}  // namespace

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
  // Copies on both sides of an exchange of experts.
  const double copies = 2 * 2 * expert_rows_here(a, s) * static_cast<double>(a.hidden);
  t.forward = Bytes(exchanged + 2 * w.outer + keys + std::max(scores, copies));
  // Gradients of the activation's inputs and output, less the output that its product no longer
  // needs; in attention, after the feed-forward part's tensors have gone, two squares.
  const double feed_forward = (a.gated() ? 2 : 1) * 2 * w.ffn + exchanged;
  const double freed = (a.gated() ? 6 : 4) * w.ffn;
  const double attention = 2 * scores + 2 * (3 * w.query + 2 * w.kv) + keys - freed;
  double experts = 0;
  if (a.experts) {
    const std::int64_t width = a.experts->ffn / s.expert_tensor;
    const double ffn = expert_rows_here(a, s) * static_cast<double>(width);
    experts = (a.gated() ? 2 : 1) * 2 * ffn + copies;
  }
  t.backward = Bytes(std::max({a.experts ? 0.0 : feed_forward, attention, experts}));
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
