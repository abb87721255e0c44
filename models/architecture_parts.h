#pragma once

/// What a model may have beyond equal dense decoder layers, each as a value that a zoo entry or a
/// scenario's model states: latent attention, windows, experts, towers of modalities, routing over
/// depth, blocks of another shape, continuous inputs, encoders, thoughts.
///
/// A modality is named as models/modalities/ names it ("text", "image", ...).

#include <cstdint>
#include <string>
#include <vector>

namespace forerun::models {

/// Keys and values through a narrow latent vector (DeepSeek-V2, arXiv 2405.04434, section 2.1).
/// Each head's queries and keys have `nope_head_dim` dimensions without position and
/// `rope_head_dim` rotated ones, whose key is shared by all heads; its values have `v_head_dim`.
struct LatentAttention {
  std::int64_t query_rank = 0;  ///< 0: queries are projected from the hidden state at once
  std::int64_t kv_rank = 0;
  std::int64_t nope_head_dim = 0, rope_head_dim = 0, v_head_dim = 0;
  [[nodiscard]] std::int64_t qk_head_dim() const { return nope_head_dim + rope_head_dim; }
  bool operator==(const LatentAttention&) const = default;
};

/// Layers whose queries see the last `tokens` keys only; chunked: those of their own block of
/// `tokens` (Llama 4).
struct AttentionWindow {
  std::int64_t tokens = 0;
  bool chunked = false;
  std::int64_t full_every = 0;  ///< layers i with (i + 1) % full_every == 0 see all; 0: none does
  /// Of the layers that see all, where they differ (Gemma 4); 0: as the others.
  std::int64_t full_kv_heads = 0, full_head_dim = 0;
  bool operator==(const AttentionWindow&) const = default;
};

/// Who chooses: each token its `top_k` experts, or each expert its tokens, a share top_k / count of
/// those of its group (Zhou et al. 2022, arXiv 2202.09368).
enum class Routing : std::uint8_t { token_choice, expert_choice };
enum class Router : std::uint8_t { softmax, sigmoid };

/// Experts that only tokens of some modalities use (MoMa, arXiv 2407.21770). Modalities that no
/// group names have a dense feed-forward part of the model's own width.
struct ExpertGroup {
  std::vector<std::string> modalities;
  std::int64_t count = 0;
  bool operator==(const ExpertGroup&) const = default;
};

/// A mixture of experts in place of the feed-forward part. `count` is 0 where there is none.
struct Experts {
  std::int64_t count = 0;  ///< routed, of one layer, all groups together
  std::int64_t top_k = 0;  ///< routed experts a token uses; on average, if experts choose
  std::int64_t ffn = 0;    ///< width of one
  std::int64_t shared = 0, shared_ffn = 0;  ///< experts that every token uses, width of one
  bool shared_gate = false;                 ///< a learned weight on what they add (Qwen1.5-MoE)
  std::int64_t first_dense = 0;             ///< so many first layers have none
  std::int64_t every = 1;  ///< layers i with (i + 1) % every == 0 have them, counted from the start
  Routing routing = Routing::token_choice;
  Router router = Router::softmax;
  /// An expert takes at most capacity_factor x its fair share of a micro-batch, and drops the rest;
  /// 0: dropless.
  double capacity_factor = 0;
  /// The router keeps a token's experts on so many nodes at most (DeepSeek-V2, V3); 0: anywhere.
  std::int64_t node_limit = 0;
  std::vector<ExpertGroup> groups;  ///< empty: one group, of all modalities
  bool operator==(const Experts&) const = default;
};

/// Modalities that share weights of their own (mixture of transformers, arXiv 2411.04996).
struct Tower {
  std::vector<std::string> modalities;
  bool operator==(const Tower&) const = default;
};
struct Towers {
  std::vector<Tower> list;                                   ///< empty: one set of weights for all
  bool attention = true, feed_forward = true, norms = true;  ///< which parts each has of its own
  bool operator==(const Towers&) const = default;
};

/// Mixture of depths (Raposo et al. 2024, arXiv 2404.02258): layers i with (i + 1) % every == 0
/// process a share `capacity` of the tokens, which a router picks; the others pass by.
struct DepthRouting {
  std::int64_t every = 0;  ///< 0: none
  double capacity = 1;
  bool operator==(const DepthRouting&) const = default;
};

/// A run of layers that are built otherwise than the rest.
struct Block {
  std::int64_t layers = 0;
  bool towers = true;           ///< whether the model's towers are apart in it
  bool parallel = false;        ///< attention and feed-forward part of one input, added together
  std::int64_t modulation = 0;  ///< vectors of hidden width that a condition makes, per tower
  bool operator==(const Block&) const = default;
};

/// Continuous tokens of a modality into the hidden width, and predictions out of it (patches of a
/// diffusion model). Linear; or through a U-Net of so many parameters, half down and half up, whose
/// weights are used at `positions` positions of an item on average, convolutions of 3 x 3 over
/// `channels` channels.
struct Adapter {
  std::string modality;
  std::int64_t input_width = 0, output_width = 0;  ///< of a token; 0: no such side
  std::int64_t unet_parameters = 0, unet_positions = 0, unet_channels = 0;
  std::int64_t item_tokens = 0;  ///< tokens of one item; of a U-Net
  bool operator==(const Adapter&) const = default;
};

enum class ConnectorKind : std::uint8_t { linear, mlp, convolutional };

/// What turns an item's patches into tokens of the model: a stack of bidirectional layers over
/// `patches` positions, then a connector to `outputs` tokens of the model's hidden width.
/// linear: one matrix; mlp: to the hidden width and once more; convolutional (C-Abstractor, Cha et
/// al. 2023): `connector_parameters` in convolutions over the patches.
struct Encoder {
  std::string name, modality;
  std::int64_t layers = 0, hidden = 0, heads = 0, ffn = 0;
  bool gated = false;
  std::int64_t patches = 0, patch_width = 0;  ///< positions of an item, values of a patch
  std::int64_t outputs = 0;                   ///< tokens of the model that an item becomes
  ConnectorKind connector = ConnectorKind::linear;
  std::int64_t connector_parameters = 0;  ///< of a convolutional one
  bool frozen = false;                    ///< no backward pass, gradients or optimiser states
  bool operator==(const Encoder&) const = default;
};

/// Quiet-STaR (arXiv 2403.09629): after every token `ahead` - 2 thought tokens between two marks
/// are drawn in parallel, then `talk` true tokens predicted; all of `samples` times. As published,
/// that is ahead + talk - 1 passes of the whole model over the sequence, of which pass k attends to
/// k + 1 times as many keys.
struct Thoughts {
  std::int64_t ahead = 0, talk = 0, samples = 1;
  [[nodiscard]] std::int64_t passes() const { return ahead == 0 ? 1 : ahead + talk - 1; }
  bool operator==(const Thoughts&) const = default;
};

}  // namespace forerun::models
