#pragma once

/// What happens to items (images, seconds of speech) at the ends of the model: an encoder's layers
/// and connector, and the adapters of continuous tokens. How many items a micro-batch has follows
/// from its tokens: those of the modality over the tokens of an item.
///
/// Tensor ranks share out the items of an encoder, each running it whole on its own, and gather the
/// outputs; adapters are whole on every rank and run on its tokens. A frozen encoder has no
/// backward pass but its connector's. Not modelled: items of different sizes, position tables'
/// lookups.

#include "models/layer_operations.h"

namespace forerun::models {

/// Items of a micro-batch on one rank that an encoder takes.
[[nodiscard]] double encoder_items(const Encoder&, const Slice&);

/// All encoders of a model, and the adapters' inputs; empty where it has none.
[[nodiscard]] OperationList items_forward(const Architecture&, const Slice&, const KernelChoices&);
[[nodiscard]] OperationList items_backward(const Architecture&, const Slice&, const KernelChoices&);
/// Predictions of continuous tokens and their loss.
[[nodiscard]] OperationList predictions_forward(const Architecture&, const Slice&);
[[nodiscard]] OperationList predictions_backward(const Architecture&, const Slice&,
                                                 const KernelChoices&);

/// What a micro-batch keeps of encoders and adapters for its backward pass.
[[nodiscard]] Bytes item_activations(const Architecture&, const Slice&);

}  // namespace forerun::models
