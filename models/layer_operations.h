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
/// Not modelled: attention masks of documents inside a sequence, kernels that fuse over a residual.

#include <cstdint>
#include <set>
#include <string_view>
#include <variant>
#include <vector>

#include "core/quantity.h"
#include "hw/collective.h"
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
/// exist apart only where a framework keeps the projections separate.
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
  residual
};

enum class ContextExchange : std::uint8_t { ring, all_gather, all_to_all };

/// How a framework turns a layer into kernels.
struct KernelChoices {
  hw::AttentionKernel attention = hw::AttentionKernel::flash2;
  bool fused_attention = true;  ///< else two batched products and a softmax over the square
  bool dropout = false;
  bool fused_elementwise = true;  ///< one kernel for bias+activation, bias+dropout+residual
  bool fused_norm = true;    ///< a norm is one kernel each way; else a chain over 32-bit copies
  bool fused_rotary = true;  ///< rotary likewise
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
};

/// One micro-batch as one accelerator sees it.
struct Slice {
  std::int64_t micro_batch = 1;
  std::int64_t sequence = 0;  ///< whole sequence, tokens
  std::int64_t tensor = 1, context = 1;
  bool sequence_parallel = false;
  ContextExchange context_exchange = ContextExchange::ring;
  PrecisionRecipe precision = PrecisionRecipe::bf16;
  [[nodiscard]] std::int64_t tokens() const { return micro_batch * sequence / context; }
  /// Tokens of the parts outside tensor-parallel regions.
  [[nodiscard]] std::int64_t outer_tokens() const {
    return sequence_parallel ? tokens() / tensor : tokens();
  }
};

enum class Dimension : std::uint8_t { tensor, context };

/// A collective inside a layer.
struct Exchange {
  hw::CollectiveKind kind = hw::CollectiveKind::all_reduce;
  Bytes bytes{};
  Dimension dimension = Dimension::tensor;
  double share = 1.0;  ///< of the collective's time (an overlapped exchange is issued in pieces)
};

struct LayerOperation {
  std::string_view name;  ///< static text
  std::variant<hw::Kernel, Exchange> work;
  LayerPart part = LayerPart::residual;
  std::int32_t wait = -1;  ///< operation of this list, on the other stream, that must have ended
  int launches = 1;        ///< kernels the host issues for it
  bool recomputed = false;
  bool of_weights = false;  ///< one pass over a matrix of weights, which moves no more than it says
};

struct OperationList {
  std::vector<LayerOperation> operations;
  std::int32_t trailing = -1;  ///< exchange that the next list's first compute operation waits for
};

/// A layer's forward pass.
[[nodiscard]] OperationList layer_forward(const Architecture&, const Slice&, const KernelChoices&);
/// A layer's backward pass; parts in `redo` are recomputed first, where they are needed. With all
/// parts in `redo` (full recompute) the whole forward pass is issued again, exchanges included.
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

/// Casts of a layer's weights to low precision, once a step (empty for 16 bit).
[[nodiscard]] OperationList weight_casts(const Architecture&, const Slice&, const KernelChoices&);

}  // namespace forerun::models
