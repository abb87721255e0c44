#pragma once

/// How many parameters a model has, by part, whole or as one rank holds them. Exact integers.
///
/// One layer, with h hidden, q = heads x head_dim, k = kv_heads x head_dim, f ffn; `up` is 2 for
/// gated activations, else 1; T sets of attention weights, one a tower:
///   attention      T (2 h q + 2 h k), latent: T (q side + h (kv_rank + rope)
///                  + kv_rank heads (nope + v) + heads v h), q side = h q_rank + q_rank heads (nope
///                  + rope), or h heads (nope + rope) without a query rank
///   feed-forward   (up + 1) h f a dense set; with experts: router h E, shared experts (up + 1) h
///                  shared_ffn each, and E routed ones of (up + 1) h ffn, counted apart
///   norms          two (four with `both`) a set, none where a modulation makes their weights;
///                  of query and key heads; of latent vectors
///   modulation     T (modulation h^2 + modulation h)
/// Cuts follow Megatron-Core: matrices by columns or rows over `tensor`, routed experts over
/// `expert`, each cut over `expert_tensor`; norms, routers, latent down-projections, modulations
/// and the biases of matrices cut by rows are whole on every rank; with fewer key/value heads than
/// tensor ranks each rank has a whole one.

#include <cstdint>

#include "models/architecture.h"

namespace forerun::models {

struct Cut {
  std::int64_t tensor = 1, expert = 1, expert_tensor = 1;
};

/// Of one layer.
struct LayerParameters {
  std::int64_t attention = 0;
  std::int64_t feed_forward = 0;  ///< dense sets, routers, shared experts
  std::int64_t experts = 0;       ///< routed
  std::int64_t norms = 0;
  std::int64_t modulation = 0;
  std::int64_t biases = 0;  ///< of attention, dense and shared feed-forward matrices, routers
  std::int64_t expert_biases = 0;  ///< of routed experts
  [[nodiscard]] std::int64_t routed() const { return experts + expert_biases; }
  [[nodiscard]] std::int64_t total() const {
    return attention + feed_forward + norms + modulation + biases + routed();
  }
  bool operator==(const LayerParameters&) const = default;
};
[[nodiscard]] LayerParameters layer_parameters(const Architecture& alike, const Cut& = {});

/// Of a whole model.
struct ParameterCount {
  std::int64_t embedding = 0;  ///< word embedding (shared with the head if tied)
  std::int64_t position = 0;
  std::int64_t embedding_norm = 0;
  LayerParameters layers;  ///< of all layers
  std::int64_t final_norm = 0;
  std::int64_t head = 0;          ///< output matrix; 0 if tied
  std::int64_t adapters = 0;      ///< of continuous tokens
  std::int64_t conditioning = 0;  ///< what makes a diffusion model's condition
  std::int64_t encoders = 0;      ///< with their connectors
  std::int64_t multi_token = 0;   ///< modules of multi-token prediction, whose ends are shared
  std::int64_t talk_head = 0;     ///< Quiet-STaR's
  /// Without the modules of multi-token prediction, which publications leave out.
  [[nodiscard]] std::int64_t total() const {
    return embedding + position + embedding_norm + layers.total() + final_norm + head + adapters +
           conditioning + encoders + talk_head;
  }
  /// Without norms and biases.
  [[nodiscard]] std::int64_t matrices() const {
    return embedding + position + layers.attention + layers.feed_forward + layers.experts +
           layers.modulation + head + adapters + conditioning + encoders + talk_head;
  }
  bool operator==(const ParameterCount&) const = default;
};
[[nodiscard]] ParameterCount parameters(const Architecture&);
/// Parameters that one token uses: of the first set of weights where there are towers or groups,
/// `top_k` of the routed experts. Embeddings count whole, as publications count them.
[[nodiscard]] ParameterCount active_parameters(const Architecture&);

/// A module of multi-token prediction without its layer: two norms and the matrix that joins.
[[nodiscard]] std::int64_t multi_token_join_parameters(const Architecture&);
[[nodiscard]] std::int64_t adapter_parameters(const Architecture&, const Adapter&);
[[nodiscard]] std::int64_t encoder_parameters(const Architecture&, const Encoder&);
/// Of them, those of a layer, of these its matrices, and those of patches and positions.
[[nodiscard]] std::int64_t encoder_layer_parameters(const Encoder&);
[[nodiscard]] std::int64_t encoder_layer_matrices(const Encoder&);
[[nodiscard]] std::int64_t encoder_embedding_parameters(const Encoder&);
[[nodiscard]] std::int64_t connector_parameters(const Architecture&, const Encoder&);

}  // namespace forerun::models
