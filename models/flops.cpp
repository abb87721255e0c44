#include "models/flops.h"

#include <algorithm>

#include "core/error.h"
#include "models/layers.h"
#include "models/parameters.h"

namespace forerun::models {
namespace {

/// Query width, as scores (qk) and context (v) use it on average.
double pair_width(const Architecture& a) {
  if (!a.latent_attention) return static_cast<double>(a.query_width());
  const LatentAttention& l = *a.latent_attention;
  return static_cast<double>(a.heads * (l.qk_head_dim() + l.v_head_dim)) / 2.0;
}

/// Elements of the matrices that multiply a token once in the forward pass, and what it attends to:
/// over all layers, pair width x keys.
struct Token {
  double elements = 0, pairs = 0, causal_pairs = 0;
};

Token token(const Architecture& a, std::int64_t seq_len) {
  Token t;
  t.elements = static_cast<double>(a.vocab * a.hidden);
  const auto s = static_cast<double>(seq_len);
  for (const Architecture& kind : layer_kinds(a).kinds) {
    const auto layers = static_cast<double>(kind.layers);
    const LayerParameters active = active_parameters(kind).layers;
    const double of_kind = layers * pair_width(kind);
    const double capacity = kind.depth_routing ? kind.depth_routing->capacity : 1.0;
    // Tokens that pass by are neither queries nor keys.
    const double here = capacity * s;
    const double w = kind.window ? std::min(here, static_cast<double>(kind.window->tokens)) : here;
    t.elements +=
        capacity * static_cast<double>(active.attention + active.feed_forward + active.experts);
    // The router of depths sees the tokens that pass by as well.
    if (kind.depth_routing) t.elements += (1.0 - capacity) * layers * static_cast<double>(a.hidden);
    t.pairs += capacity * of_kind * w;
    // Exactly: w (w + 1) / 2 pairs of the first w queries, w of each later one.
    t.causal_pairs += of_kind * (w * (w + 1) / 2 + (here - w) * w) / s;
  }
  return t;
}

}  // namespace

double flops_per_token(const Architecture& a, std::int64_t seq_len, FlopConvention convention) {
  const ParameterCount count = active_parameters(a);
  const double n = static_cast<double>(count.total());
  const double embeddings = static_cast<double>(count.embedding + count.position + count.head);
  const Token t = token(a, seq_len);
  switch (convention) {
    case FlopConvention::six_n:
      return 6.0 * n;
    case FlopConvention::six_n_no_embedding:
      return 6.0 * (n - embeddings);
    case FlopConvention::palm:
      return 6.0 * n + 12.0 * t.pairs;
    case FlopConvention::megatron:
      return 6.0 * t.elements + 12.0 * t.pairs;
    case FlopConvention::megatron_causal:
      return 6.0 * t.elements + 6.0 * t.pairs;
    case FlopConvention::hardware_causal:
      return 6.0 * t.elements + 14.0 * (a.bidirectional ? t.pairs : t.causal_pairs);
  }
  FORERUN_ASSERT(false, "no such FLOP convention");
}

std::string_view name(FlopConvention convention) {
  switch (convention) {
    case FlopConvention::six_n:
      return "six_n";
    case FlopConvention::six_n_no_embedding:
      return "six_n_no_embedding";
    case FlopConvention::palm:
      return "palm";
    case FlopConvention::megatron:
      return "megatron";
    case FlopConvention::megatron_causal:
      return "megatron_causal";
    case FlopConvention::hardware_causal:
      return "hardware_causal";
  }
  FORERUN_ASSERT(false, "no such FLOP convention");
}

}  // namespace forerun::models
