#pragma once

/// Kernels that find the largest scores of long rows, in order: torch.topk as routers ask it which
/// tokens an expert or a layer takes.
///
/// Counted by hand from PyTorch 2.3's aten/src/ATen/native/cuda/TensorTopK.cu, not traced. The
/// selection: four digits of eight bits with two kernels each, counts, two scans of two kernels,
/// the gather. The sort of what it found: one block a row up to 4,096 scores; above that indices,
/// histograms, their sum, four digits (cub), and three kernels that copy values and indices.
/// Each is a pass over the scores. Rows of fewer than 20,000 are selected by one block each, in
/// less time than the selection above takes: that is the length at which the library changes over.

#include <cstdint>

#include "models/operation_builder.h"

namespace forerun::models {

/// The `count` largest of each of `rows` rows of `length` scores in 32 bit.
void largest_scores(OperationBuilder&, std::int64_t rows, std::int64_t length, std::int64_t count);

}  // namespace forerun::models
