#pragma once

/// A model's shape, as a zoo entry or a scenario states it. How many parameters that makes says
/// models/parameters.h, how many operations models/flops.h, which layers are alike models/layers.h.
///
/// A decoder is `layers` blocks: norm, attention, residual, norm, feed-forward, residual; before
/// them the word embedding (with learned positions or a norm where the model has them) or what
/// takes continuous tokens in, after them a norm and the output matrix. Any of it may be replaced
/// by the parts of models/architecture_parts.h: experts, towers of modalities, latent attention ...
///
/// NOT in this family, and not to be forced into it: cross-attention, recurrent and state-space
/// layers, convolutions over the sequence.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"
#include "core/reader.h"
#include "models/architecture_parts.h"

namespace forerun::models {

/// `swiglu` and `geglu` are gated: two matrices up and one down. The others have one up, one down.
enum class Activation : std::uint8_t { gelu, swiglu, geglu, relu, squared_relu };
enum class Position : std::uint8_t { rotary, learned, alibi, none };
/// `layer_norm_1p` computes with weight + 1 (Nemotron); it has weight and bias as `layer_norm` has.
enum class Norm : std::uint8_t { layer_norm, rms_norm, layer_norm_1p };

/// Where a sub-layer's norms stand: on its input; on its output, before the residual (Chameleon's
/// and Swin's order); on both (Gemma 2).
enum class NormOrder : std::uint8_t { before, after, both };

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
  NormOrder norm_order = NormOrder::before;
  bool parallel_block = false;      ///< attention and feed-forward part of one input (GPT-NeoX)
  bool bidirectional = false;       ///< no causal mask at all
  bool attention_sinks = false;     ///< a learned score a head that takes part in the softmax
  bool clamped_activation = false;  ///< gate and up projection are cut to a range first (gpt-oss)
  /// Cosines and sines carry a factor: YaRN's attention factor, 0.1 ln(extension) + 1, where the
  /// configuration leaves it (gpt-oss 1.35; DeepSeek's two factors cancel).
  bool scaled_rotary = false;
  std::int64_t modulation = 0;  ///< vectors a layer and tower that a condition makes (DiT)
  std::int64_t conditioning_parameters = 0;  ///< of what makes the condition, once a model
  std::optional<LatentAttention> latent_attention;
  std::optional<AttentionWindow> window;
  std::optional<Experts> experts;
  Towers towers;
  std::optional<DepthRouting> depth_routing;
  std::vector<Block> blocks;  ///< in order; empty: `layers` of one kind
  std::vector<Adapter> adapters;
  std::vector<Encoder> encoders;
  std::optional<Thoughts> thoughts;
  std::int64_t multi_token_prediction = 0;    ///< modules that predict so many tokens further
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
[[nodiscard]] std::string_view name(NormOrder);

/// Reads the object of an architecture (a zoo file's root, or a scenario's inline model) and checks
/// the rules across its fields. `"base": "NAME"` starts from that zoo entry, and then every other
/// field is optional and replaces the entry's; only its published names are not taken over. Calls
/// finish() on the reader.
[[nodiscard]] Architecture read_architecture(Reader&);
/// The zoo entry models/zoo/NAME.json. Throws Error naming the nearest if there is none, or with
/// all problems of the file if it is wrong.
[[nodiscard]] Architecture load_architecture(const std::string& name);
/// Names of all zoo entries, sorted.
[[nodiscard]] std::vector<std::string> architecture_names();
/// The text that read_architecture reads back as the same shape (evidence and sources left out).
[[nodiscard]] std::string architecture_json(const Architecture&);

}  // namespace forerun::models
