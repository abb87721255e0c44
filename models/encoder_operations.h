#pragma once

/// Encoders of items (images, seconds of speech) and their connectors, which turn items into tokens
/// of the model. How many items a micro-batch has follows from its tokens: those of the modality
/// over the tokens of an item.
///
/// An encoder has a parallel plan of its own. Its layers may be divided into parts, each on a
/// pipeline stage of its own before the language model (EncoderPart), the connector in the last.
/// Its matrices are cut over `Slice::encoder_tensor` ranks, which sum partial products twice a
/// layer each way (Shoeybi et al. 2019, section 3); the groups of so many ranks among the language
/// model's tensor ranks share out the items, and gather the outputs at the end. A frozen encoder
/// has no backward pass but its connector's. With `redo` only the inputs of layers are kept, and
/// each layer runs forward again before its backward pass. Not modelled: items of different sizes,
/// position tables' lookups, sequence parallelism inside an encoder.

#include <cstdint>

#include "models/layer_operations.h"

namespace forerun::models {

/// The `index`-th of `count` parts of every encoder.
struct EncoderPart {
  std::int64_t index = 0, count = 1;
  bool operator==(const EncoderPart&) const = default;
  [[nodiscard]] bool first() const { return index == 0; }
  [[nodiscard]] bool last() const { return index + 1 == count; }
  /// Layers of an encoder in this part; parts differ by one at most.
  [[nodiscard]] std::int64_t layers(const Encoder& e) const {
    return e.layers * (index + 1) / count - e.layers * index / count;
  }
};

/// Items of a micro-batch that a rank works on, alone or with the others that cut the encoder.
[[nodiscard]] double encoder_items(const Encoder&, const Slice&);

/// A part of all encoders of a model; empty where there is none.
[[nodiscard]] OperationList encoders_forward(const Architecture&, const Slice&,
                                             const KernelChoices&, EncoderPart = {});
[[nodiscard]] OperationList encoders_backward(const Architecture&, const Slice&,
                                              const KernelChoices&, EncoderPart = {},
                                              bool redo = false);

/// What a micro-batch keeps of a part for its backward pass; with `redo` also of the layer in hand.
[[nodiscard]] Bytes encoder_activations(const Architecture&, const Slice&, EncoderPart = {},
                                        bool redo = false);
/// What a rank hands on from a part, to the next one or to the language model.
[[nodiscard]] Bytes encoder_message(const Architecture&, const Slice&, EncoderPart);

/// Parameters of a part of all encoders that one of `tensor` ranks holds.
struct HeldEncoders {
  std::int64_t trained = 0;  ///< with the connectors
  std::int64_t frozen = 0;
};
[[nodiscard]] HeldEncoders held_encoders(const Architecture&, EncoderPart, std::int64_t tensor);

}  // namespace forerun::models
