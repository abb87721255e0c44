#pragma once

/// The matrix products of a layer with the tensor-parallel exchanges around them, after Megatron:
/// a column-parallel product wants its whole input, a row-parallel one leaves partial sums. With
/// sequence parallelism the first is an all-gather and the second a reduce-scatter, else the sums
/// are all-reduced forward and the input gradients backward. Private to models/.
///
/// A product [tokens, k] x [k, n] is given by the n and k of this rank. Over several weight sets it
/// is one product a set, one after another, or one grouped product, as the framework does.

#include <cstdint>
#include <string_view>
#include <vector>

#include "models/layer.h"

namespace forerun::models {

/// Tokens of each of a layer's weight sets, in tensor-parallel regions; one set: all tokens.
using Rows = std::vector<std::int64_t>;
[[nodiscard]] double sum(const Rows&);

void forward_product(const Layer&, std::string_view name, std::int64_t n, std::int64_t k,
                     const Rows& rows);
void forward_product(const Layer&, std::string_view name, std::int64_t n, std::int64_t k);
void input_gradient(const Layer&, std::string_view name, std::int64_t n, std::int64_t k,
                    const Rows& rows);
void weight_gradient(const Layer&, std::string_view name, std::int64_t n, std::int64_t k,
                     const Rows& rows);

/// Into a column-parallel product: the sequence shards are gathered, beside the product when the
/// framework splits the exchange over the ring (all but the first piece is hidden). Returns the
/// exchange that must have ended after the product, or -1.
[[nodiscard]] std::int32_t gather_input(const Layer&);

/// A product whose k is cut (attention output, feed-forward down) into the hidden width, and the
/// exchange of its partial sums: in pieces as they come where the framework overlaps them.
void row_parallel_forward(const Layer&, std::string_view name, std::int64_t k, const Rows& rows);
void row_parallel_forward(const Layer&, std::string_view name, std::int64_t k);

/// Its input and weight gradients, named `dx` and `dw`.
void row_parallel_backward(const Layer&, std::string_view dx, std::string_view dw, std::int64_t k,
                           const Rows& rows);
void row_parallel_backward(const Layer&, std::string_view dx, std::string_view dw, std::int64_t k);

/// A product whose n is cut, by the names of its gradients.
struct Column {
  std::string_view dx, dw;
  std::int64_t n;
};

/// Backward of column-parallel products of one input: the input is gathered again beside the
/// input-gradient product (it was kept in shards), the input gradient is reduced beside the
/// weight-gradient product. `gradient_width`: of the output gradient that is quantized.
void column_parallel_backward(const Layer&, const std::vector<Column>&, double gradient_width,
                              const Rows& rows);
void column_parallel_backward(const Layer&, const std::vector<Column>&, double gradient_width);

}  // namespace forerun::models
