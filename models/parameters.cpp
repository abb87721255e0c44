#include "models/parameters.h"

#include <algorithm>

#include "models/layers.h"

namespace forerun::models {
namespace {

/// Elements of a norm over `width` values: a weight each, and a bias each unless it is RMS norm.
std::int64_t norm_parameters(Norm norm, std::int64_t width) {
  return norm == Norm::rms_norm ? width : 2 * width;
}

/// Of one set of attention weights.
struct AttentionCount {
  std::int64_t matrices = 0, biases = 0, latent_norms = 0;
};

AttentionCount attention_count(const Architecture& a, const Cut& cut) {
  AttentionCount c;
  const std::int64_t h = a.hidden;
  if (a.latent_attention) {
    const LatentAttention& l = *a.latent_attention;
    const std::int64_t heads = a.heads / cut.tensor;
    const std::int64_t query = heads * l.qk_head_dim();
    c.matrices = l.query_rank > 0 ? h * l.query_rank + l.query_rank * query : h * query;
    c.matrices += h * (l.kv_rank + l.rope_head_dim);
    c.matrices += l.kv_rank * heads * (l.nope_head_dim + l.v_head_dim);
    c.matrices += heads * l.v_head_dim * h;
    c.latent_norms = norm_parameters(a.norm, l.kv_rank);
    if (l.query_rank > 0) c.latent_norms += norm_parameters(a.norm, l.query_rank);
    return c;
  }
  const std::int64_t query = a.query_width() / cut.tensor;
  const std::int64_t kv = std::max(a.kv_width() / cut.tensor, a.head_dim);
  c.matrices = h * (2 * query + 2 * kv);
  if (a.linear_bias || a.qkv_bias) c.biases = query + 2 * kv;
  if (a.linear_bias) c.biases += h;
  return c;
}

/// Matrices and biases of one feed-forward part of `width` on this rank.
struct FeedForwardCount {
  std::int64_t matrices = 0, biases = 0;
};

FeedForwardCount feed_forward_count(const Architecture& a, std::int64_t width) {
  const std::int64_t up = a.gated() ? 2 : 1;
  return {(up + 1) * a.hidden * width, a.linear_bias ? up * width + a.hidden : 0};
}

void add_feed_forward(const Architecture& a, const Cut& cut, LayerParameters& out) {
  for (const WeightSet& set : feed_forward_sets(a)) {
    if (set.experts == 0) {
      const FeedForwardCount dense = feed_forward_count(a, a.ffn / cut.tensor);
      out.feed_forward += dense.matrices;
      out.biases += dense.biases;
      continue;
    }
    const Experts& e = *a.experts;
    const std::int64_t here = set.experts / cut.expert;
    const FeedForwardCount routed = feed_forward_count(a, e.ffn / cut.expert_tensor);
    out.experts += here * routed.matrices;
    out.expert_biases += here * routed.biases;
    out.feed_forward += a.hidden * set.experts;
    if (a.linear_bias) out.biases += set.experts;
    if (e.shared > 0) {
      const FeedForwardCount shared = feed_forward_count(a, e.shared_ffn / cut.tensor);
      out.feed_forward += e.shared * shared.matrices + (e.shared_gate ? a.hidden : 0);
      out.biases += e.shared * shared.biases;
    }
  }
}

LayerParameters& operator+=(LayerParameters& a, const LayerParameters& b) {
  a.attention += b.attention;
  a.feed_forward += b.feed_forward;
  a.experts += b.experts;
  a.norms += b.norms;
  a.modulation += b.modulation;
  a.biases += b.biases;
  a.expert_biases += b.expert_biases;
  return a;
}

/// A module of multi-token prediction (DeepSeek-V3, arXiv 2412.19437, section 2.2): norms of the
/// hidden state and of the next token's embedding, a matrix that joins them, and a layer.
std::int64_t multi_token_parameters(const Architecture& a, const Architecture& last) {
  return multi_token_join_parameters(a) + layer_parameters(last).total();
}

ParameterCount count_ends(const Architecture& a) {
  ParameterCount count;
  count.embedding = a.vocab * a.hidden;
  count.position = a.position == Position::learned ? a.max_positions * a.hidden : 0;
  count.embedding_norm = a.embedding_norm ? norm_parameters(a.norm, a.hidden) : 0;
  count.final_norm = a.final_norm ? norm_parameters(a.norm, a.hidden) : 0;
  count.head = a.tied_embeddings ? 0 : a.vocab * a.hidden;
  count.conditioning = a.conditioning_parameters;
  for (const Adapter& adapter : a.adapters) count.adapters += adapter_parameters(a, adapter);
  for (const Encoder& e : a.encoders) count.encoders += encoder_parameters(a, e);
  // Of the current and the thinking state (2 h), one hidden layer, and a weight a token.
  if (a.thoughts) count.talk_head = 2 * a.hidden * a.hidden + a.hidden * a.hidden + a.hidden;
  return count;
}

/// The layer as one token of the first set of weights sees it.
Architecture one_path(const Architecture& alike) {
  Architecture a = alike;
  a.towers = {};
  if (!a.experts) return a;
  const std::vector<WeightSet> sets = feed_forward_sets(alike);
  if (sets.front().experts == 0) {
    a.experts.reset();
  } else {
    a.experts->groups.clear();
    a.experts->count = sets.front().experts;
  }
  return a;
}

}  // namespace

LayerParameters layer_parameters(const Architecture& a, const Cut& cut) {
  LayerParameters out;
  const auto attention = static_cast<std::int64_t>(attention_sets(a).size());
  const std::int64_t norms = norm_sets(a);
  const AttentionCount one = attention_count(a, cut);
  out.attention = attention * one.matrices;
  out.biases = attention * one.biases;
  add_feed_forward(a, cut, out);
  const std::int64_t of_hidden = a.norm_order == NormOrder::both ? 4 : 2;
  if (a.modulation == 0) out.norms = norms * of_hidden * norm_parameters(a.norm, a.hidden);
  out.norms += attention * one.latent_norms;
  // One RMS weight a dimension of a head, shared by all heads; one for queries, one for keys.
  if (a.qk_norm) out.norms += norms * 2 * a.head_dim;
  if (a.attention_sinks) out.norms += a.heads / cut.tensor;
  // The condition makes weights of the norms; a tower has its own.
  out.modulation = norms * a.modulation * a.hidden * a.hidden;
  out.biases += norms * a.modulation * a.hidden;
  if (a.depth_routing) out.feed_forward += a.hidden;
  return out;
}

ParameterCount parameters(const Architecture& a) {
  ParameterCount count = count_ends(a);
  const LayerKinds kinds = layer_kinds(a);
  for (const Architecture& kind : kinds.kinds) {
    const LayerParameters one = layer_parameters(kind);
    for (std::int64_t i = 0; i < kind.layers; ++i) count.layers += one;
  }
  if (a.multi_token_prediction > 0) {
    count.multi_token =
        a.multi_token_prediction * multi_token_parameters(a, kinds.layer(a.layers - 1));
  }
  return count;
}

ParameterCount active_parameters(const Architecture& a) {
  ParameterCount count = count_ends(a);
  for (const Architecture& kind : layer_kinds(a).kinds) {
    const Architecture path = one_path(kind);
    LayerParameters one = layer_parameters(path);
    if (path.experts) {
      one.experts = one.experts / path.experts->count * path.experts->top_k;
      one.expert_biases = one.expert_biases / path.experts->count * path.experts->top_k;
    }
    for (std::int64_t i = 0; i < kind.layers; ++i) count.layers += one;
  }
  return count;
}

std::int64_t multi_token_join_parameters(const Architecture& a) {
  return 2 * norm_parameters(a.norm, a.hidden) + 2 * a.hidden * a.hidden;
}

std::int64_t adapter_parameters(const Architecture& a, const Adapter& adapter) {
  const auto side = [&](std::int64_t width) {
    return width == 0 ? 0 : width * a.hidden + a.hidden;
  };
  return side(adapter.input_width) + side(adapter.output_width) + adapter.unet_parameters;
}

std::int64_t connector_parameters(const Architecture& a, const Encoder& e) {
  switch (e.connector) {
    case ConnectorKind::linear:
      return e.hidden * a.hidden + a.hidden;
    case ConnectorKind::mlp:
      return e.hidden * a.hidden + a.hidden + a.hidden * a.hidden + a.hidden;
    case ConnectorKind::convolutional:
      return e.connector_parameters;
  }
  return 0;
}

std::int64_t encoder_layer_matrices(const Encoder& e) {
  return 4 * e.hidden * e.hidden + (e.gated ? 3 : 2) * e.hidden * e.ffn;
}

std::int64_t encoder_layer_parameters(const Encoder& e) {
  // Layer norms and biases as in ViT (Dosovitskiy et al. 2021): 4 h + f + h biases, 4 h norms.
  return encoder_layer_matrices(e) + 9 * e.hidden + (e.gated ? 2 : 1) * e.ffn;
}

std::int64_t encoder_embedding_parameters(const Encoder& e) {
  return e.patch_width * e.hidden + e.hidden + e.patches * e.hidden;
}

std::int64_t encoder_parameters(const Architecture& a, const Encoder& e) {
  return e.layers * encoder_layer_parameters(e) + encoder_embedding_parameters(e) + 2 * e.hidden +
         connector_parameters(a, e);
}

}  // namespace forerun::models
