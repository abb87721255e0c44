#pragma once

/// Kernels that find the largest scores of long rows, in order: torch.topk as routers ask it which
/// tokens an expert or a layer takes.
///
/// After PyTorch 2.3's aten/src/ATen/native/cuda/TensorTopK.cu and Sort.cpp. Rows of 20,000 scores
/// and more (of up to 20 rows; more rows change over earlier, which is left out) are selected by 16
/// kernels over all of the machine, each a pass over the scores. Shorter ones are by one block of
/// threads each, 5.1 ns a score: 23.2, 38.8, 65.2 and 84.1 us for 4,096, 8,192, 12,288 and 16,384
/// on an H100 PCIe, whose longer rows take 65 to 71 us (the study "H100 baseline: how search
/// latency scales with candidate count", PyTorch 2.10, which also counts the kernels); as long on
/// every accelerator is assumed. What was found is sorted: up to 4,096 by one block a row; more by
/// a radix sort of one row (10 kernels: indices, histograms, their sum, four digits, three copies)
/// or of several by value and then by row (17). Sorts are counted by hand, not traced, and take a
/// pass over what was found each.

#include <cstdint>

#include "models/operation_builder.h"

namespace forerun::models {

/// The `count` largest of each of `rows` rows of `length` scores in 32 bit.
void largest_scores(OperationBuilder&, std::int64_t rows, std::int64_t length, std::int64_t count);

}  // namespace forerun::models
