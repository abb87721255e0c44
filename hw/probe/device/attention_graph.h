#pragma once

/// Fused attention as the graph that cuDNN recognises. Tensors lie as [batch, heads, length, size],
/// contiguous. Grouped queries: fewer heads of keys and values than of queries.

#include <cstdint>
#include <memory>

#include "hw/probe/device/cudnn.h"
#include "hw/probe/families.h"

namespace forerun::hw::device {

struct AttentionSizes {
  std::int64_t batch = 1, queries = 0, keys = 0, heads = 0, kv_heads = 0, head_dim = 0;
  bool causal = true;  ///< a query sees the keys up to its own place; queries == keys
  GraphType type = GraphType::brain16;
};

[[nodiscard]] AttentionSizes attention_sizes(const ProbeShape&);

struct ForwardGraph {
  std::unique_ptr<CudnnGraph> graph;
  TensorId q = 0, k = 0, v = 0, out = 0, log_sum = 0;
};
struct BackwardGraph {
  std::unique_ptr<CudnnGraph> graph;
  TensorId q = 0, k = 0, v = 0, out = 0, log_sum = 0, up = 0, dq = 0, dk = 0, dv = 0;
  TensorId dq_sum = 0;  ///< 32 bit, zero before each run
};

/// Built and not yet planned, which takes an accelerator; throws Error if the library refuses a
/// part.
[[nodiscard]] ForwardGraph attention_forward(Cudnn&, const AttentionSizes&);
[[nodiscard]] BackwardGraph attention_backward(Cudnn&, const AttentionSizes&);

}  // namespace forerun::hw::device
