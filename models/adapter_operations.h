#pragma once

/// Adapters of continuous tokens at the ends of the model: what brings them to its width and back,
/// with half a U-Net each where it has one, and their loss. Adapters are whole on every rank and
/// run on its tokens.

#include "models/layer_operations.h"

namespace forerun::models {

/// Inputs of all adapters of a model; empty where it has none.
[[nodiscard]] OperationList adapters_forward(const Architecture&, const Slice&,
                                             const KernelChoices&);
[[nodiscard]] OperationList adapters_backward(const Architecture&, const Slice&,
                                              const KernelChoices&);
/// Predictions of continuous tokens and their loss.
[[nodiscard]] OperationList predictions_forward(const Architecture&, const Slice&);
[[nodiscard]] OperationList predictions_backward(const Architecture&, const Slice&,
                                                 const KernelChoices&);

/// What a micro-batch keeps of adapters for its backward pass.
[[nodiscard]] Bytes adapter_activations(const Architecture&, const Slice&);

}  // namespace forerun::models
