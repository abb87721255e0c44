#pragma once

/// How a model's matrices are drawn at the start, as the variances of their elements. h is hidden,
/// f the feed-forward width, N layers, p dropout.
///
///   xavier        2 / (fan in + fan out) of each matrix; query, key and value matrices one head
///                 wide (Glorot and Bengio 2010, as in Kedia's Xavier figures)
///   deepscale     DeepScaleLM: 1/h for queries and keys, sqrt((1-p)/2)/h for the feed-forward
///   part,
///                 sqrt((1-p)/r)/h for value and output, r the correlation that enters the layer
///   megatron      0.02 as deviation, output matrices 0.02 / sqrt(2 N) (Megatron-LM's defaults)
///   small         2/(5 h) (Nguyen and Salazar 2019), output matrices / (2 N) (Takase et al. 2023)

#include "models/recipe.h"

namespace forerun::stability {

/// What the variances depend on.
struct WeightShape {
  double layers = 1, hidden = 1, head_dim = 1, ffn = 1;
  double dropout = 0;
  double correlation = 1;  ///< between tokens, of what enters the layer; deepscale only
};

/// Variances of the elements of one layer's matrices.
struct WeightVariances {
  double query_key = 0, value = 0, output = 0, up = 0, down = 0;
};

[[nodiscard]] WeightVariances weight_variances(models::Initialisation, const WeightShape&);

}  // namespace forerun::stability
