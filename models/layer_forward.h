#pragma once

/// The two halves of a layer's forward pass, which recompute issues again before or during the
/// backward pass. Private to models/.

#include <set>

#include "models/layer.h"

namespace forerun::models {

/// Which parts of a forward pass are issued: those that recompute redoes, or all of them (null).
using Wanted = const std::set<LayerPart>*;

void attention_forward(const Layer&, Wanted);
void feed_forward_forward(const Layer&, Wanted);

}  // namespace forerun::models
