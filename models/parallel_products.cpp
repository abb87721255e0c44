#include "models/parallel_products.h"

#include <iterator>
#include <numeric>

namespace forerun::models {
namespace {

using hw::CollectiveKind;
using hw::Gemm;
using hw::GroupedGemm;
using hw::GroupedPass;

Rows all_tokens(const Layer& l) { return {l.s.tokens()}; }

/// Several sets in one launch.
void grouped(const Layer& l, std::string_view name, GroupedPass pass, std::int64_t n,
             std::int64_t k, const Rows& rows) {
  GroupedGemm g;
  g.groups = std::ssize(rows);
  g.rows = sum(rows);
  g.n = n;
  g.k = k;
  g.precision = l.precision();
  g.pass = pass;
  g.promotes = pass != GroupedPass::forward && is_low_precision(l.s.precision);
  g.accumulates = pass == GroupedPass::weight_gradient && l.c.fused_gradient_accumulation &&
                  l.c.gradient_bytes == 4;
  l.b.kernel(name, g);
}

/// `one`(rows) a set that has any, or all sets in one.
template <class One>
void each_set(const Layer& l, std::string_view name, GroupedPass pass, std::int64_t n,
              std::int64_t k, const Rows& rows, One one) {
  if (rows.size() > 1 && l.c.grouped_modalities) {
    grouped(l, name, pass, n, k, rows);
    return;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows.size() > 1) l.b.set(static_cast<std::int32_t>(i));
    if (rows[i] > 0 || rows.size() == 1) one(rows[i]);
  }
  if (rows.size() > 1) l.b.set(-1);
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

double sum(const Rows& rows) {
  return static_cast<double>(std::accumulate(rows.begin(), rows.end(), std::int64_t{0}));
}

void forward_product(const Layer& l, std::string_view name, std::int64_t n, std::int64_t k,
                     const Rows& rows) {
  each_set(l, name, GroupedPass::forward, n, k, rows,
           [&](std::int64_t m) { l.b.kernel(name, Gemm{m, n, k, l.precision()}); });
}

void forward_product(const Layer& l, std::string_view name, std::int64_t n, std::int64_t k) {
  forward_product(l, name, n, k, all_tokens(l));
}

void input_gradient(const Layer& l, std::string_view name, std::int64_t n, std::int64_t k,
                    const Rows& rows) {
  each_set(l, name, GroupedPass::input_gradient, n, k, rows, [&](std::int64_t m) {
    Gemm product{m, k, n, l.precision()};
    product.promotes = is_low_precision(l.s.precision);
    l.b.kernel(name, product);
  });
}

/// dW[n,k]. Without a fused accumulation the product writes a 16-bit gradient that a second kernel
/// adds to the buffer.
void weight_gradient(const Layer& l, std::string_view name, std::int64_t n, std::int64_t k,
                     const Rows& rows) {
  const bool fused = l.c.fused_gradient_accumulation;
  l.b.weight_gradient(true);
  each_set(l, name, GroupedPass::weight_gradient, n, k, rows, [&](std::int64_t m) {
    Gemm product{n, k, m, l.precision()};
    product.accumulates = fused && l.c.gradient_bytes == 4;
    product.promotes = is_low_precision(l.s.precision);
    l.b.kernel(name, product);
  });
  if (!fused) {
    l.b.plain_pass_of_weights("accumulate gradient", static_cast<double>(std::ssize(rows) * n * k),
                              2.0 + l.c.gradient_bytes, l.c.gradient_bytes);
  }
  l.b.weight_gradient(false);
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

void row_parallel_forward(const Layer& l, std::string_view name, std::int64_t k, const Rows& rows) {
  const std::int32_t begun = begin_reduce_output(l);
  forward_product(l, name, l.a.hidden, k, rows);
  end_reduce_output(l, begun);
}

void row_parallel_forward(const Layer& l, std::string_view name, std::int64_t k) {
  row_parallel_forward(l, name, k, all_tokens(l));
}

void row_parallel_backward(const Layer& l, std::string_view dx, std::string_view dw,
                           std::int64_t k) {
  row_parallel_backward(l, dx, dw, k, all_tokens(l));
}

void row_parallel_backward(const Layer& l, std::string_view dx, std::string_view dw, std::int64_t k,
                           const Rows& rows) {
  quantize_gradient(l.b, l.s.precision, "quantize output gradient", l.outer() * l.hidden());
  const std::int32_t gathering = gather_input(l);
  input_gradient(l, dx, l.a.hidden, k, rows);
  l.b.require(gathering);
  weight_gradient(l, dw, l.a.hidden, k, rows);
}

void column_parallel_backward(const Layer& l, const std::vector<Column>& products,
                              double gradient_width) {
  column_parallel_backward(l, products, gradient_width, all_tokens(l));
}

void column_parallel_backward(const Layer& l, const std::vector<Column>& products,
                              double gradient_width, const Rows& rows) {
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
  for (const Column& p : products) input_gradient(l, p.dx, p.n, l.a.hidden, rows);
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
  for (const Column& p : products) weight_gradient(l, p.dw, p.n, l.a.hidden, rows);
  l.b.require(reducing);
}

}  // namespace forerun::models
