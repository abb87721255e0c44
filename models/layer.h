#pragma once

/// A layer as one tensor and context rank sees it: the model, its slice, how the framework issues
/// kernels, and the list they are issued into. What models/'s rooms of a layer pass to one another.
/// Private to models/.

#include <cstdint>
#include <vector>

#include "models/architecture.h"
#include "models/layer_operations.h"
#include "models/layers.h"
#include "models/low_precision.h"
#include "models/operation_builder.h"

namespace forerun::models {

/// Everything a pass over a layer needs, so that forward and recompute are the same code. Widths
/// and heads are those of this rank.
struct Layer {
  const Architecture& a;
  const Slice& s;
  const KernelChoices& c;
  OperationBuilder& b;

  [[nodiscard]] double inner() const { return static_cast<double>(s.tokens()); }
  [[nodiscard]] double outer() const { return static_cast<double>(s.outer_tokens()); }
  [[nodiscard]] double hidden() const { return static_cast<double>(a.hidden); }
  [[nodiscard]] std::int64_t heads() const { return a.heads / s.tensor; }
  /// Key/value heads of one tensor rank; fewer heads than ranks are replicated.
  [[nodiscard]] std::int64_t kv_heads() const {
    return a.kv_heads >= s.tensor ? a.kv_heads / s.tensor : 1;
  }
  [[nodiscard]] std::int64_t query_width() const { return heads() * a.head_dim; }
  /// Of the attention's result, into the output matrix.
  [[nodiscard]] std::int64_t context_width() const {
    return a.latent_attention ? heads() * a.latent_attention->v_head_dim : query_width();
  }
  [[nodiscard]] std::int64_t kv_width() const { return kv_heads() * a.head_dim; }
  [[nodiscard]] std::int64_t ffn() const { return a.ffn / s.tensor; }
  [[nodiscard]] hw::Precision precision() const { return product_precision(s.precision); }
  [[nodiscard]] std::int64_t sequence_here() const { return s.sequence / s.context; }
};

/// A weight set's tokens on this rank, of `tokens` in all.
[[nodiscard]] std::int64_t rows_of(const WeightSet&, const Slice&, std::int64_t tokens);
/// The same of each set.
[[nodiscard]] std::vector<std::int64_t> rows_of(const std::vector<WeightSet>&, const Slice&,
                                                std::int64_t tokens);

}  // namespace forerun::models
