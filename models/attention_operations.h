#pragma once

/// Core attention: softmax(Q K^T) V as one fused kernel or as its parts, and the exchanges that
/// context parallelism adds: keys and values around a ring, gathered, or traded for heads. Private
/// to models/.
///
/// Not modelled: masks of documents inside a sequence.

#include "models/layer.h"

namespace forerun::models {

void core_attention(const Layer&, hw::Pass);

}  // namespace forerun::models
