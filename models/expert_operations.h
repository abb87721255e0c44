#pragma once

/// Routed experts as one rank runs them: router, permutation, dispatch, products, combination.
///
/// A rank's `outer` tokens make outer x top_k copies (token choice; expert choice makes as many on
/// average). Copies are permuted by expert, sent to the ranks that hold the experts, processed,
/// sent back and added up with the router's weights. With expert-tensor parallelism the copies are
/// gathered over its ranks and partial sums scattered. A capacity limits the copies of an expert to
/// capacity_factor times the fair share, and frameworks that drop also pad to it: then that many
/// rows are computed. Shared experts are dense products over all tokens, cut over `tensor`.
///
/// Experts that choose find the largest scores of all their set's tokens (models/largest_scores.h),
/// and what comes back is added up by atomic operations: no token knows how many chose it.
///
/// Backward: the gradients of the outputs take the dispatch's way, those of the inputs the
/// combination's. Not modelled: the auxiliary losses' few kernels beyond the router's own, and
/// experts that no token chose.

#include <cstdint>
#include <vector>

#include "models/layer.h"
#include "models/layer_forward.h"

namespace forerun::models {

/// Rows that a rank's experts of one set process.
struct ExpertRows {
  double routed = 0;      ///< copies that this rank sends
  double received = 0;    ///< of all its experts, after capacity and load
  double load = 1;        ///< those over the fair share, as computed: 1 where they are padded
  std::int64_t here = 1;  ///< experts that this rank holds
};
[[nodiscard]] ExpertRows expert_rows(const Architecture&, const Slice&, const WeightSet&,
                                     std::int64_t tokens);

/// `tokens`: of the set, outside tensor-parallel regions; `set`: its index.
/// As far as the backward pass needs it a redone pass leaves out the weighing and adding of outputs
/// (the weights' gradients need the outputs before) and the shared experts' last product.
void experts_forward(const Layer&, Wanted, Extent, const WeightSet&, std::int64_t tokens);
void experts_backward(const Layer&, const WeightSet&, std::int64_t tokens);

}  // namespace forerun::models
