#pragma once

/// What one micro-batch makes one accelerator do in one layer, in the embedding and in the head:
/// kernels and exchanges, in issue order, forward and backward. The lists are values; hw/ says how
/// long each takes and sim/ when it runs.
///
/// Shapes follow Megatron's tensor parallelism: query/key/value and the first feed-forward matrix
/// are cut by columns, the attention output and the second feed-forward matrix by rows; with
/// sequence parallelism what lies between is cut along the sequence (Korthikanti 2022, arXiv
/// 2205.05198). Activations and their gradients are 16 bit. Low precision adds its casts as
/// kernels.
///
/// Where a layer has several sets of weights (models/layers.h) the tokens of each are gathered, go
/// through its products and are scattered back; attention is over all. Routed experts are
/// models/expert_operations.h.
///
/// Not modelled: kernels that fuse over a residual.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/quantity.h"
#include "hw/collective.h"
#include "hw/expert_exchange.h"
#include "hw/kernel.h"
#include "models/architecture.h"

namespace forerun::models {

/// Number format of the layers' matrix products, as recipes name it.
enum class PrecisionRecipe : std::uint8_t {
  bf16,
  fp16,
  fp8_delayed,
  fp8_current,
  fp8_tensorwise,
  fp8_rowwise,
  mxfp8,
  nvfp4
};
[[nodiscard]] std::string_view name(PrecisionRecipe);
[[nodiscard]] hw::Precision product_precision(PrecisionRecipe);
[[nodiscard]] bool is_low_precision(PrecisionRecipe);

/// Parts of a layer that recompute can throw away and redo. `query`, `key`, `value` and `ffn_gate`
/// exist apart only where a framework keeps the projections separate; `latent_up` are latent
/// attention's up-projections. A layer with experts has `router` to `shared_experts` in place of
/// `ffn_up` to `ffn_down`.
enum class LayerPart : std::uint8_t {
  attention_norm,
  qkv,
  query,
  key,
  value,
  rotary,
  core_attention,
  attention_output,
  ffn_norm,
  ffn_up,
  ffn_gate,
  activation,
  ffn_down,
  residual,
  latent_up,
  router,
  dispatch,
  expert_up,
  expert_activation,
  expert_down,
  combine,
  shared_experts
};

enum class ContextExchange : std::uint8_t { ring, all_gather, all_to_all };

/// How the products of a rank's experts run.
enum class GroupedExperts : std::uint8_t {
  none,      ///< one kernel an expert
  products,  ///< the same product of all experts is one kernel
  /// ... and biases, activation, its gradient and the casts of what comes out of them are epilogues
  /// of the products, with counts of rows on the device (Transformer Engine's fused grouped MLP).
  /// Its buffers have the size of a capacity, so what the backward pass needs is copied out of them
  /// and back (NVIDIA/Megatron-LM pull request 4247, paged stashing).
  feed_forward
};

/// How a framework turns a layer into kernels.
struct KernelChoices {
  hw::AttentionKernel attention = hw::AttentionKernel::flash2;
  bool fused_attention = true;  ///< else two batched products and a softmax over the square
  bool dropout = false;
  bool fused_elementwise = true;  ///< one kernel for bias+activation, bias+dropout+residual
  bool fused_norm = true;    ///< a norm is one kernel each way; else a chain over 32-bit copies
  bool fused_rotary = true;  ///< rotary likewise
  bool generated_elementwise = false;  ///< kernels made for the model (torch.compile, XLA)
  bool separate_projections =
      false;  ///< query, key, value (and gate, up) are products of their own
  bool fused_gradient_accumulation =
      true;                     ///< weight gradients add into a 32-bit buffer in the product
  int gradient_bytes = 4;       ///< of an accumulated gradient element
  bool tensor_overlap = false;  ///< exchanges split over the ring beside the products
  bool tensor_gradient_overlap =
      false;                ///< input-gradient exchange beside the weight-gradient product
  bool fp32_logits = true;  ///< cross-entropy works on 32-bit logits, in separate passes
  bool fused_cross_entropy = false;
  bool weights_cast_every_micro_batch = false;  ///< low precision: else once a step
  hw::ExpertExchangeKind expert_dispatch = hw::ExpertExchangeKind::all_to_all;
  GroupedExperts grouped_experts = GroupedExperts::products;
  bool experts_issued_apart = false;  ///< a grouped product is still a launch or more an expert
  bool expert_count_syncs = false;    ///< the host waits for the numbers of rows of the experts
  bool expert_exchange_overlap =
      false;                           ///< dispatch and combine beside another micro-batch's layer
  bool shared_expert_overlap = false;  ///< shared experts run beside the dispatch
  bool grouped_modalities = false;  ///< products of a layer's weight sets are one kernel, else each
  /// Recompute leaves out what only makes the layer's output (jax.checkpoint and compiled PyTorch,
  /// as dead code; torch.utils.checkpoint without reentrance from PyTorch 2.1 on, which stops at
  /// the last tensor that the backward pass reads: the same but in parallel blocks and with shared
  /// experts, where it is less). Else the layer is redone to its end.
  bool recompute_ends_early = false;
  bool modality_mask_syncs = false;  ///< the host waits for the indices of a boolean mask
  /// With 8-bit products: inputs of activations are stored in 8 bits, results of attention in 12
  /// (E5M6), for its own backward pass and as the input of its output product (DeepSeek-AI 2024,
  /// arXiv 2412.19437, section 3.3.3).
  bool compact_activations = false;
};

/// Tokens of one modality.
struct ModalityTokens {
  std::string modality;
  std::int64_t tokens = 0;
  bool operator==(const ModalityTokens&) const = default;
};

/// Rows of routed experts against an even spread, all of which is 1.
struct ExpertLoad {
  double mine = 1;      ///< of this rank's experts over their fair share
  double exchange = 1;  ///< of the group's most loaded rank over the fair share
  bool operator==(const ExpertLoad&) const = default;
};

/// One micro-batch as one accelerator sees it.
struct Slice {
  std::int64_t micro_batch = 1;
  std::int64_t sequence = 0;  ///< whole sequence, tokens
  std::int64_t tensor = 1, context = 1;
  bool sequence_parallel = false;
  ContextExchange context_exchange = ContextExchange::ring;
  PrecisionRecipe precision = PrecisionRecipe::bf16;
  std::int64_t expert = 1, expert_tensor = 1;
  std::int64_t encoder_tensor = 1;  ///< ranks that cut an encoder, of `tensor`
  /// Tokens of the whole micro-batch by modality; empty where the model does not tell them apart.
  std::vector<ModalityTokens> modalities = {};
  /// Attended (query, key) pairs over those that a mask of the model's kind leaves in a sequence:
  /// masks of documents lower it, spans that see forward raise it.
  double pairs_share = 1;
  std::int64_t thought =
      0;  ///< pass of thoughts: keys are 1 + thought times the sequence, all seen
  ExpertLoad load = {};
  [[nodiscard]] std::int64_t tokens() const { return micro_batch * sequence / context; }
  /// Tokens of the parts outside tensor-parallel regions.
  [[nodiscard]] std::int64_t outer_tokens() const {
    return sequence_parallel ? tokens() / tensor : tokens();
  }
  /// Of one modality.
  [[nodiscard]] double outer_tokens_of(std::string_view modality) const {
    for (const ModalityTokens& m : modalities) {
      if (m.modality != modality) continue;
      return static_cast<double>(m.tokens) * static_cast<double>(outer_tokens()) /
             static_cast<double>(micro_batch * sequence);
    }
    return 0;
  }
};

enum class Dimension : std::uint8_t { tensor, context, expert_tensor, encoder };

/// A collective inside a layer.
struct Exchange {
  hw::CollectiveKind kind = hw::CollectiveKind::all_reduce;
  Bytes bytes{};
  Dimension dimension = Dimension::tensor;
  double share = 1.0;  ///< of the collective's time (an overlapped exchange is issued in pieces)
};

/// The host waits for what was issued before and issues the rest after.
struct HostWait {};

struct LayerOperation {
  std::string_view name;  ///< static text
  std::variant<hw::Kernel, Exchange, hw::ExpertExchange, HostWait> work;
  LayerPart part = LayerPart::residual;
  std::int32_t wait = -1;  ///< operation of this list, on the other stream, that must have ended
  int launches = 1;        ///< kernels the host issues for it
  bool recomputed = false;
  bool weight_gradient = false;  ///< makes a gradient of weights (models/split_backward.h)
  bool of_weights = false;  ///< one pass over a matrix of weights, which moves no more than it says
  std::int32_t set = -1;    ///< whose weights: index into OperationList::sets; -1: of all tokens
  double rows = 0;  ///< of routed experts' kernels: copies of tokens that they work on; else 0
  double load = 0;  ///< those over the fair share; else 0
};

struct OperationList {
  std::vector<LayerOperation> operations;
  std::vector<std::string> sets;  ///< names of weight sets: their first modalities
  std::int32_t trailing = -1;  ///< exchange that the next list's first compute operation waits for
};

/// A layer's forward pass.
[[nodiscard]] OperationList layer_forward(const Architecture&, const Slice&, const KernelChoices&);
/// A layer's backward pass; parts in `redo` are recomputed first, where they are needed. With all
/// parts in `redo` (full recompute) the whole forward pass is issued again, exchanges included, or
/// as much of it as the backward pass needs (KernelChoices::recompute_ends_early).
[[nodiscard]] OperationList layer_backward(const Architecture&, const Slice&, const KernelChoices&,
                                           const std::set<LayerPart>& redo, bool full_recompute);

[[nodiscard]] OperationList embedding_forward(const Architecture&, const Slice&,
                                              const KernelChoices&);
[[nodiscard]] OperationList embedding_backward(const Architecture&, const Slice&,
                                               const KernelChoices&, std::int64_t padded_vocab);
/// Final norm and logits; `padded_vocab` is the output matrix's rows over all tensor ranks.
[[nodiscard]] OperationList head_forward(const Architecture&, const Slice&, const KernelChoices&,
                                         std::int64_t padded_vocab);
[[nodiscard]] OperationList head_backward(const Architecture&, const Slice&, const KernelChoices&,
                                          std::int64_t padded_vocab);
/// The same without the output matrix's gradient, and that alone: frameworks may put it off.
[[nodiscard]] OperationList head_input_gradient(const Architecture&, const Slice&,
                                                const KernelChoices&, std::int64_t padded_vocab);
[[nodiscard]] OperationList head_weight_gradient(const Architecture&, const Slice&,
                                                 const KernelChoices&, std::int64_t padded_vocab);
/// The logits to 32 bit and their gradient back (empty where the framework does not), and the
/// cross-entropy: blocks of their own, for nanotron may put them on later stages.
[[nodiscard]] OperationList cast_logits_forward(const Slice&, const KernelChoices&,
                                                std::int64_t padded_vocab);
[[nodiscard]] OperationList cast_logits_backward(const Slice&, const KernelChoices&,
                                                 std::int64_t padded_vocab);
[[nodiscard]] OperationList loss_forward(const Slice&, const KernelChoices&,
                                         std::int64_t padded_vocab);
[[nodiscard]] OperationList loss_backward(const Slice&, const KernelChoices&,
                                          std::int64_t padded_vocab);

/// What a module of multi-token prediction does before its layer (models/parameters.cpp): the next
/// token's embedding, a norm of it and of the hidden state, and the matrix that joins them.
[[nodiscard]] OperationList multi_token_forward(const Architecture&, const Slice&,
                                                const KernelChoices&);
[[nodiscard]] OperationList multi_token_backward(const Architecture&, const Slice&,
                                                 const KernelChoices&);

/// Casts of a layer's weights to low precision, once a step (empty for 16 bit).
[[nodiscard]] OperationList weight_casts(const Architecture&, const Slice&, const KernelChoices&);

}  // namespace forerun::models
