#pragma once

/// What a layer does between its products: norms, residuals, activations and rotary embedding, all
/// bound by memory, in bytes an element. `tokens` of norms and residuals are those outside the
/// tensor-parallel regions. Private to models/.

#include <string_view>

#include "models/layer.h"

namespace forerun::models {

void norm_forward(const Layer&, std::string_view name, double tokens);
void norm_backward(const Layer&, std::string_view name, double tokens);

/// The norms of a sub-layer: one, or two with NormOrder::both, each a kernel a set of norm weights;
/// with modulation the condition's scale and shift are a pass each, and its gate one more.
void sub_layer_norms(const Layer&, std::string_view name);
void sub_layer_norm_gradients(const Layer&, std::string_view name);
/// Vectors that the condition makes for a layer (models/architecture.h, `modulation`).
void modulation_forward(const Layer&);
void modulation_backward(const Layer&);

/// Output bias, dropout and the residual: one fused kernel or one each.
void residual_forward(const Layer&, double tokens);
void residual_backward(const Layer&, double tokens);
/// The residual branch's gradient joins that of the norm's input.
void join_gradient(const Layer&, double tokens);

/// Gate and up cut to their range before the activation, of a model that does: kernels of their own
/// (NVIDIA/Megatron-LM megatron/core/fusions/fused_bias_geglu.py clamps both halves and
/// concatenates them before its fused kernel). `elements` are the activation's outputs.
void clamp_forward(const Layer&, double elements);
void clamp_backward(const Layer&, double elements);
/// Of `tokens` in tensor-parallel regions.
void activation_forward(const Layer&, double tokens);
void activation_backward(const Layer&, double tokens);

/// Of queries and keys; the same traffic either way. Nothing without rotary positions. No fused
/// kernel takes a factor on cosines and sines, so a model that has one is rotated by a chain of 16
/// bit kernels (NVIDIA/Megatron-LM megatron/core/models/common/embeddings/rope_utils.py: "mscale is
/// not supported by TE's fused RoPE").
void rotary(const Layer&, std::string_view name);
/// Norms of query and key heads, one kernel each; nothing where the model has none. Of a product of
/// queries, keys and values together they are copied before (Transformer Engine's and PyTorch's
/// norms take contiguous rows) and their gradients joined with that of the values after
/// (TransformerEngine, SplitAlongDim: torch.cat), unless kernels are generated. Rotary positions
/// alone need the joining too; there a framework's elementwise_traffic has it.
void head_norms_forward(const Layer&);
void head_norms_backward(const Layer&);

}  // namespace forerun::models
