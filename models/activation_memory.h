#pragma once

/// What one micro-batch occupies in one layer: what the forward pass keeps for the backward pass,
/// and what lives only while the layer runs.
///
/// Korthikanti 2022 (arXiv 2205.05198), section 4: a 16-bit layer with dropout, unfused attention
/// and biases keeps s b h (34 + 5 a s / h) bytes; tensor parallelism divides all of it but
/// 10 s b h, sequence parallelism the rest too. Here extended to gated activations, grouped
/// queries, fused attention (its log-sum-exp instead of the square), separate kernels and 8-bit
/// copies of the inputs of products.
///
/// Not counted: row statistics of norms (8 bytes a token), positions, masks of documents.

#include <set>
#include <string_view>
#include <vector>

#include "core/quantity.h"
#include "models/architecture.h"
#include "models/layer_operations.h"

namespace forerun::models {

/// A tensor that some backward operation of the layer needs.
struct KeptActivation {
  enum class When : std::uint8_t {
    always,         ///< the layer's input: what recompute begins from
    needed,         ///< an operation's backward pass needs it
    recompute_only  ///< an output that only operator-level recompute stores, to not redo a product
  };
  std::string_view name;
  Bytes bytes{};
  LayerPart producer = LayerPart::residual;
  LayerPart consumer = LayerPart::residual;
  When when = When::needed;
};

[[nodiscard]] std::vector<KeptActivation> layer_activations(const Architecture&, const Slice&,
                                                            const KernelChoices&);
/// Whether recompute of `redo` leaves the tensor in memory. Where the whole layer is wrapped
/// (`redo` has the residual), outputs of parts that are not redone are stored and nothing else.
/// Where a region is wrapped (core attention), what is made and used inside it goes; norms, latent
/// up-projections and experts' activations give up their outputs too, as Megatron-Core does it.
[[nodiscard]] bool is_kept(const KeptActivation&, const std::set<LayerPart>& redo);
/// Sum of what is kept.
[[nodiscard]] Bytes kept_bytes(const std::vector<KeptActivation>&, const std::set<LayerPart>& redo);

/// The most that lives beside what is kept while a layer's pass runs: outputs before they are
/// reduced over tensor ranks, gathered inputs, gradients of the feed-forward part, squares of
/// unfused attention, keys and values of other context ranks. Weight gradients are not among them.
struct Transients {
  Bytes forward{}, backward{};
};
[[nodiscard]] Transients layer_transients(const Architecture&, const Slice&, const KernelChoices&);

/// Activations of the embedding that are kept: input of its norm, mask of its dropout.
[[nodiscard]] Bytes embedding_activations(const Architecture&, const Slice&, const KernelChoices&);

/// A hidden state of all the micro-batch's tokens on this rank, 16 bit; `outer`: of the tokens that
/// sequence parallelism leaves to it.
[[nodiscard]] Bytes hidden_state(const Architecture&, const Slice&);
[[nodiscard]] Bytes outer_hidden_state(const Architecture&, const Slice&);

}  // namespace forerun::models
