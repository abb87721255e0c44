#include "models/parallel_products.h"

namespace forerun::models {
namespace {

using hw::CollectiveKind;
using hw::Gemm;

void input_gradient(const Layer& l, std::string_view name, std::int64_t n, std::int64_t k) {
  Gemm product{l.s.tokens(), k, n, l.precision()};
  product.promotes = is_low_precision(l.s.precision);
  l.b.kernel(name, product);
}

/// dW[n,k]. Without a fused accumulation the product writes a 16-bit gradient that a second kernel
/// adds to the buffer.
void weight_gradient(const Layer& l, std::string_view name, std::int64_t n, std::int64_t k) {
  const bool fused = l.c.fused_gradient_accumulation;
  Gemm product{n, k, l.s.tokens(), l.precision()};
  product.accumulates = fused && l.c.gradient_bytes == 4;
  product.promotes = is_low_precision(l.s.precision);
  l.b.kernel(name, product);
  if (!fused) {
    l.b.memory_of_weights("accumulate gradient", static_cast<double>(n * k),
                          2.0 + l.c.gradient_bytes, l.c.gradient_bytes);
  }
}

/// Bytes of an element as it is gathered: low precision gathers the cast activation.
double gathered_bytes(const Layer& l) { return is_low_precision(l.s.precision) ? 1.0 : 2.0; }

/// Before a row-parallel product whose partial sums are exchanged in pieces as they come.
std::int32_t begin_reduce_output(const Layer& l) {
  if (l.s.tensor == 1 || !l.s.sequence_parallel || !l.c.tensor_overlap) return -1;
  const double piece = 1.0 / static_cast<double>(l.s.tensor);
  return l.b.exchange_async("reduce partial sums", CollectiveKind::reduce_scatter,
                            2.0 * l.inner() * l.hidden(), Dimension::tensor, 1.0 - piece);
}

/// After a row-parallel product.
void end_reduce_output(const Layer& l, std::int32_t begun) {
  if (l.s.tensor == 1) return;
  const double bytes = 2.0 * l.inner() * l.hidden();
  if (!l.s.sequence_parallel) {
    l.b.exchange("reduce partial sums", CollectiveKind::all_reduce, bytes, Dimension::tensor);
  } else if (begun >= 0) {
    l.b.exchange("reduce partial sums", CollectiveKind::reduce_scatter, bytes, Dimension::tensor,
                 1.0 / static_cast<double>(l.s.tensor));
  } else {
    l.b.exchange("reduce partial sums", CollectiveKind::reduce_scatter, bytes, Dimension::tensor);
  }
}

}  // namespace

void forward_product(const Layer& l, std::string_view name, std::int64_t n, std::int64_t k) {
  l.b.kernel(name, Gemm{l.s.tokens(), n, k, l.precision()});
}

std::int32_t gather_input(const Layer& l) {
  if (l.s.tensor == 1 || !l.s.sequence_parallel) return -1;
  const double bytes = gathered_bytes(l) * l.inner() * l.hidden();
  if (!l.c.tensor_overlap) {
    l.b.exchange("gather sequence", CollectiveKind::all_gather, bytes, Dimension::tensor);
    return -1;
  }
  const double piece = 1.0 / static_cast<double>(l.s.tensor);
  l.b.exchange("gather sequence", CollectiveKind::all_gather, bytes, Dimension::tensor, piece);
  return l.b.exchange_async("gather sequence", CollectiveKind::all_gather, bytes, Dimension::tensor,
                            1.0 - piece);
}

void row_parallel_forward(const Layer& l, std::string_view name, std::int64_t k) {
  const std::int32_t begun = begin_reduce_output(l);
  forward_product(l, name, l.a.hidden, k);
  end_reduce_output(l, begun);
}

void row_parallel_backward(const Layer& l, std::string_view dx, std::string_view dw,
                           std::int64_t k) {
  quantize_gradient(l.b, l.s.precision, "quantize output gradient", l.outer() * l.hidden());
  const std::int32_t gathering = gather_input(l);
  input_gradient(l, dx, l.a.hidden, k);
  l.b.require(gathering);
  weight_gradient(l, dw, l.a.hidden, k);
}

void column_parallel_backward(const Layer& l, const std::vector<Column>& products,
                              double gradient_width) {
  const bool tensor = l.s.tensor > 1;
  const bool sequence = tensor && l.s.sequence_parallel;
  const double bytes = 2.0 * l.inner() * l.hidden();
  quantize_gradient(l.b, l.s.precision, "quantize output gradient", l.inner() * gradient_width);
  std::int32_t input = -1;
  if (sequence) {
    const double in = gathered_bytes(l) * l.inner() * l.hidden();
    if (l.c.tensor_gradient_overlap || l.c.tensor_overlap) {
      input = l.b.exchange_async("gather sequence again", CollectiveKind::all_gather, in,
                                 Dimension::tensor);
    } else {
      l.b.exchange("gather sequence again", CollectiveKind::all_gather, in, Dimension::tensor);
    }
  }
  for (const Column& p : products) input_gradient(l, p.dx, p.n, l.a.hidden);
  if (products.size() > 1) {
    l.b.memory("add input gradients", l.inner() * l.hidden(),
               4.0 * static_cast<double>(products.size() - 1),
               2.0 * static_cast<double>(products.size() - 1),
               static_cast<int>(products.size()) - 1);
  }
  l.b.require(input);
  std::int32_t reducing = -1;
  if (tensor) {
    const CollectiveKind kind =
        sequence ? CollectiveKind::reduce_scatter : CollectiveKind::all_reduce;
    if (l.c.tensor_gradient_overlap || (sequence && l.c.tensor_overlap)) {
      reducing = l.b.exchange_async("reduce input gradient", kind, bytes, Dimension::tensor);
    } else {
      l.b.exchange("reduce input gradient", kind, bytes, Dimension::tensor);
    }
  }
  for (const Column& p : products) weight_gradient(l, p.dw, p.n, l.a.hidden);
  l.b.require(reducing);
}

}  // namespace forerun::models
