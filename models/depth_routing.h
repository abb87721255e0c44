#pragma once

/// Kernels that routing over depth puts around a layer (mixture of depths, Raposo et al. 2024,
/// arXiv 2404.02258; MoMa, arXiv 2407.21770, section 2.3: before any choice of experts, of the
/// tokens of all modalities; the layer's attention too sees the picked tokens alone).
///
///   before   score of every token (h -> 1, sigmoid), top-k (models/largest_scores.h), sort of the
///            indices, rows picked
///   after    all tokens copied, the layer's outputs times their scores added to their rows by
///            index, as all such sums by atomic operations (torch.index_add, scatter_add)
///   backward the gradient's rows picked (and the scores' gradient); a zeroed tensor to which the
///            picked tokens' gradients are added; the router's products; the three gradients of the
///            layer's input summed
///
/// as PyTorch's operations that return new tensors do it (derived; the authors' code is not
/// public). With full recompute the choice is made again. As many tokens of each sequence are taken
/// to be picked. Left out: that MoMa picks from the whole micro-batch, so that sequences, and
/// modalities from layer to layer and rank to rank, differ (by how much is not published); the
/// routers that predict the choice for inference, which are trained after the model.

#include "models/architecture.h"
#include "models/layer_operations.h"
#include "models/operation_builder.h"

namespace forerun::models {

/// What a layer with depth routing processes of a micro-batch; all of it in others.
[[nodiscard]] Slice routed_slice(const Architecture& alike, const Slice&);

// Nothing in layers without depth routing. `some`: the routed slice of `s`.
void pick_by_depth(OperationBuilder&, const Architecture& alike, const Slice& s, const Slice& some);
void put_back_by_depth(OperationBuilder&, const Architecture& alike, const Slice& s,
                       const Slice& some);
void put_back_gradient_by_depth(OperationBuilder&, const Architecture& alike, const Slice& some);
void pick_gradient_by_depth(OperationBuilder&, const Architecture& alike, const Slice& s,
                            const Slice& some);

}  // namespace forerun::models
