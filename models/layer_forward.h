#pragma once

/// The two halves of a layer's forward pass, which recompute issues again before or during the
/// backward pass. Private to models/.

#include <cstdint>
#include <set>
#include <vector>

#include "models/layer.h"

namespace forerun::models {

/// Which parts of a forward pass are issued: those that recompute redoes, or all of them (null).
using Wanted = const std::set<LayerPart>*;

/// How far a pass goes: all the way, or, in recompute, to the last tensor that the backward pass
/// reads.
enum class Extent : std::uint8_t { whole, as_needed };

void attention_forward(const Layer&, Wanted, Extent);
void feed_forward_forward(const Layer&, Wanted, Extent);

/// Tokens of each feed-forward weight set.
struct FeedForwardRows {
  FeedForwardRows(const Layer&, const std::vector<WeightSet>&);
  std::vector<std::int64_t> dense;  ///< in tensor-parallel regions; 0 for sets with experts
  std::vector<std::int64_t> outer;  ///< outside of them
  bool any_dense = false;
};

}  // namespace forerun::models
