#pragma once

/// The dense decoder family: what a zoo entry or a scenario says about a model's shape, how many
/// parameters that makes (models/parameters.cpp) and how many
/// operations (models/flops.cpp).
///
/// A decoder is `layers` equal blocks: norm, attention, residual, norm, feed-forward, residual;
/// before them the word embedding (with learned positions or a norm where the model has them),
/// after them a norm and the output matrix. NOT in this family, and not to be forced into it:
/// mixtures of experts, latent attention, sliding windows, blocks of different shape, norms after a
/// sub-layer, attention and feed-forward in parallel, cross-attention.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"
#include "core/reader.h"

namespace forerun::models {

/// `swiglu` and `geglu` are gated: two matrices up and one down. The others have one up, one down.
enum class Activation : std::uint8_t { gelu, swiglu, geglu, relu, squared_relu };
enum class Position : std::uint8_t { rotary, learned, alibi, none };
/// `layer_norm_1p` computes with weight + 1 (Nemotron); it has weight and bias as `layer_norm` has.
enum class Norm : std::uint8_t { layer_norm, rms_norm, layer_norm_1p };

struct Architecture {
  std::string name;
  std::string family;  ///< whose sizes belong together, for leave-one-family-out fits; may be empty
  std::vector<std::string>
      published_names;  ///< how published results call it (beginnings of names)
  std::int64_t layers = 0, hidden = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn = 0, vocab = 0;
  std::int64_t max_positions = 0;  ///< rows of the learned position table, else 0
  Activation activation = Activation::gelu;
  Position position = Position::rotary;
  double rotary_fraction = 1.0;  ///< share of each head's dimensions that is rotated; 0 if none is
  Norm norm = Norm::layer_norm;
  bool tied_embeddings = false;  ///< the output matrix is the word embedding
  bool embedding_norm = false;   ///< BLOOM: a norm after the word embedding
  bool linear_bias = false;      ///< biases on attention and feed-forward matrices
  bool qkv_bias = false;         ///< biases on the query, key and value matrices only (Qwen2)
  bool qk_norm = false;          ///< RMS norm of each query and key head before rotation (Qwen3)
  bool final_norm = true;
  std::map<std::string, Evidence> evidence;   ///< by field; absent: that of "all", else published
  std::map<std::string, std::string> source;  ///< by field or "all"

  [[nodiscard]] bool gated() const {
    return activation == Activation::swiglu || activation == Activation::geglu;
  }
  [[nodiscard]] std::int64_t query_width() const { return heads * head_dim; }
  [[nodiscard]] std::int64_t kv_width() const { return kv_heads * head_dim; }
  [[nodiscard]] Evidence evidence_of(const std::string& field) const;
};

[[nodiscard]] std::string_view name(Activation);
[[nodiscard]] std::string_view name(Position);
[[nodiscard]] std::string_view name(Norm);

/// Reads the object of an architecture (a zoo file's root, or a scenario's inline model) and checks
/// the rules across its fields. `"base": "NAME"` starts from that zoo entry, and then every other
/// field is optional and replaces the entry's. Calls finish() on the reader.
[[nodiscard]] Architecture read_architecture(Reader&);
/// The zoo entry models/zoo/NAME.json. Throws Error naming the nearest if there is none, or with
/// all problems of the file if it is wrong.
[[nodiscard]] Architecture load_architecture(const std::string& name);
/// Names of all zoo entries, sorted.
[[nodiscard]] std::vector<std::string> architecture_names();

/// Parameters by part. Counts are exact integers, biases and norms included.
struct ParameterCount {
  std::int64_t embedding = 0;  ///< word embedding (shared with the head if tied)
  std::int64_t position = 0;
  std::int64_t embedding_norm = 0;
  std::int64_t attention = 0, feed_forward = 0, norms = 0;  ///< of ONE layer
  std::int64_t final_norm = 0;
  std::int64_t head = 0;    ///< output matrix; 0 if tied
  std::int64_t layers = 0;  ///< how many layers
  [[nodiscard]] std::int64_t per_layer() const { return attention + feed_forward + norms; }
  [[nodiscard]] std::int64_t total() const {
    return embedding + position + embedding_norm + layers * per_layer() + final_norm + head;
  }
  auto operator<=>(const ParameterCount&) const = default;
};
[[nodiscard]] ParameterCount parameters(const Architecture&);

/// FLOPs of one token's forward and backward pass (no recompute) by the conventions in use. They
/// differ by 10-40 % on one model, so each is named and none is the default of a comparison.
/// N = all parameters, L = layers, Q = query width, S = sequence, W = elements of all matrices that
/// multiply (attention, feed-forward, output; the embedding's gather is free).
enum class FlopConvention : std::uint8_t {
  six_n,               ///< 6 N (Kaplan 2020)
  six_n_no_embedding,  ///< 6 (N - word embedding - positions - output matrix) (Kaplan 2020,
                       ///< eq. 2.1)
  palm,                ///< 6 N + 12 L Q S (Chowdhery 2022, app. B), attention not halved
  megatron,            ///< 6 W + 12 L Q S; at ffn = 4h and one kv head a head this is
                       ///< 72 L h^2 (1 + S/6h + V/12Lh) (Narayanan 2021, Korthikanti 2022)
  megatron_causal,     ///< 6 W + 6 L Q S: half of the scores are masked
  hardware_causal  ///< 6 W + 7 L Q (S + 1): what the kernels do. Fused attention's backward pass
                   ///< computes the scores again, five products for two, so 4 Q S (1 + 2.5),
                   ///< times the share (S + 1) / 2S of the pairs that causal masking leaves
};
[[nodiscard]] double flops_per_token(const Architecture&, std::int64_t seq_len, FlopConvention);
[[nodiscard]] std::string_view name(FlopConvention);

}  // namespace forerun::models
