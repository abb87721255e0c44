#pragma once

/// What low-precision recipes add to 16-bit training as explicit kernels: casts, transposes, amax
/// passes, block scales. Each recipe's passes, in bytes an element:
///
/// delayed     cast with last steps' scale, and a transposed copy for the weight-gradient product
///             (Hopper's fp8 products take one layout); fused into the norm or activation before
///             it, so only the writes and the transpose count there
/// current     an amax pass and its reduction, then the same
/// tensorwise  as current, in compiled kernels without fusion into the norm
/// rowwise     scales for rows and again for columns: two passes over the input each
/// mxfp8       row-wise and column-wise copies with a scale per 32 elements
/// nvfp4       amax, Hadamard transform, row and column copies of 4 bit with two-level scales,
///             stochastic rounding of gradients
///
/// All `modelled`. Source of the passes: Transformer Engine's and torchao's public descriptions.

#include <string_view>

#include "models/layer_operations.h"
#include "models/operation_builder.h"

namespace forerun::models {

/// Of what no recipe makes 8 bit (attention, the head): fp16 under fp16, else bf16.
[[nodiscard]] hw::Precision sixteen_bit(PrecisionRecipe);

/// `launches`: of each of its kernels. `fused`: the kernel before (norm, activation) writes the
/// cast copy itself.
void quantize_input(OperationBuilder&, PrecisionRecipe, std::string_view name, double elements,
                    bool fused, int launches = 1);
void quantize_gradient(OperationBuilder&, PrecisionRecipe, std::string_view name, double elements,
                       int launches = 1);
void quantize_weight(OperationBuilder&, PrecisionRecipe, std::string_view name, double elements);

}  // namespace forerun::models
