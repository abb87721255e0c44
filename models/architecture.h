#pragma once

/// The dense decoder family: what a zoo entry or a scenario says about a model's shape.

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

enum class Activation : std::uint8_t { gelu, swiglu, geglu, relu, squared_relu };
enum class Position : std::uint8_t { rotary, learned, alibi, none };
enum class Norm : std::uint8_t { layer_norm, rms_norm, layer_norm_1p };

/// A decoder of `layers` blocks: norm, attention, residual, norm, feed-forward, residual.
struct Architecture {
  std::string name;
  std::int64_t layers = 0, hidden = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn = 0, vocab = 0;
  std::int64_t max_positions = 0;  ///< rows of the learned position table, else 0
  Activation activation = Activation::gelu;
  Position position = Position::rotary;
  Norm norm = Norm::layer_norm;
  bool tied_embeddings = false;
  bool embedding_norm = false;  ///< BLOOM: a norm after the word embedding
  bool linear_bias = false;     ///< biases on attention and feed-forward matrices
  bool final_norm = true;
  std::map<std::string, Evidence> evidence;   ///< by field, absent = published
  std::map<std::string, std::string> source;  ///< by field or "all"
  [[nodiscard]] bool gated() const {
    return activation == Activation::swiglu || activation == Activation::geglu;
  }
  [[nodiscard]] std::int64_t query_width() const { return heads * head_dim; }
  [[nodiscard]] std::int64_t kv_width() const { return kv_heads * head_dim; }
};

/// Reads the object of an architecture (a zoo file's root, or a scenario's inline model).
[[nodiscard]] Architecture read_architecture(Reader&);
/// The zoo entry models/zoo/NAME.json; throws Error naming the nearest if there is none.
[[nodiscard]] Architecture load_architecture(const std::string& name);
[[nodiscard]] std::vector<std::string> architecture_names();

/// Parameters by part. Counts are exact integers, biases and norms included.
struct ParameterCount {
  std::int64_t embedding = 0;  ///< word embedding (shared with the head if tied)
  std::int64_t position = 0;
  std::int64_t embedding_norm = 0;
  std::int64_t attention = 0, feed_forward = 0, norms = 0;  ///< of ONE layer
  std::int64_t final_norm = 0;
  std::int64_t head = 0;       ///< output matrix; 0 if tied
  std::int64_t layers = 0;     ///< how many layers
  [[nodiscard]] std::int64_t per_layer() const { return attention + feed_forward + norms; }
  [[nodiscard]] std::int64_t total() const {
    return embedding + position + embedding_norm + layers * per_layer() + final_norm + head;
  }
};
[[nodiscard]] ParameterCount parameters(const Architecture&);

/// FLOPs of one token's forward and backward pass by the conventions in use; sources differ by
/// 10-40 %, so each is named and none is the default of a comparison.
enum class FlopConvention : std::uint8_t {
  six_n,             ///< 6 N, N = all parameters (Kaplan 2020)
  six_n_no_embedding,///< 6 N without embeddings
  palm,              ///< 6 N + 12 L H Q S (Chowdhery 2022, app. B), attention not halved
  megatron,          ///< 72 L h^2 (1 + S/6h + V/12Lh) x B S (Narayanan 2021), without recompute
  hardware_causal    ///< what the kernels do, causal attention halved, embedding gather free
};
[[nodiscard]] double flops_per_token(const Architecture&, std::int64_t seq_len, FlopConvention);
[[nodiscard]] std::string_view name(FlopConvention);

}  // namespace forerun::models
