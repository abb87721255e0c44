#pragma once

/// A backward pass in two parts, as zero-bubble schedules run it (Qi et al. 2023, arXiv 2401.10241,
/// section 2): what another stage waits for, and the gradients of weights, which may come later.
/// Norms' and biases' gradients, a few elements, stay with the first part, as frameworks leave them
/// in the autograd graph. An exchange that a weight gradient needs (the input gathered again) stays
/// there too: it has ended long before.

#include "models/layer_operations.h"

namespace forerun::models {

struct SplitBackward {
  OperationList inputs;   ///< recomputation, exchanges, gradients of activations
  OperationList weights;  ///< gradients of weights, in the order of the backward pass
};
[[nodiscard]] SplitBackward split_backward(const OperationList& backward);

/// What a list of weight gradients reads, held from the one part to the other: both operands of
/// every product, once where products share one (queries, keys and values of one input); of a
/// scatter-added gradient its rows.
[[nodiscard]] Bytes kept_for_weights(const OperationList& weights);

}  // namespace forerun::models
