#include "hw/probe/device/attention_graph.h"

#include <cmath>
#include <limits>

namespace forerun::hw::device {
namespace {

Extents contiguous(const Extents& size) {
  return {size[1] * size[2] * size[3], size[2] * size[3], size[3], 1};
}

/// Rows and columns exchanged.
Extents turned(const Extents& e) { return {e[0], e[1], e[3], e[2]}; }

/// The tensors between operations of one attention.
class Builder {
 public:
  Builder(CudnnGraph& graph, const AttentionSizes& a)
      : g_(graph),
        a_(a),
        of_queries_{a.batch, a.heads, a.queries, a.head_dim},
        of_keys_{a.batch, a.kv_heads, a.keys, a.head_dim},
        of_scores_{a.batch, a.heads, a.queries, a.keys},
        of_rows_{a.batch, a.heads, a.queries, 1} {}

  TensorId like_queries() { return g_.tensor(of_queries_, contiguous(of_queries_), a_.type); }
  TensorId like_keys() { return g_.tensor(of_keys_, contiguous(of_keys_), a_.type); }
  /// The same memory read with rows and columns exchanged.
  TensorId turned_keys() {
    return g_.tensor(turned(of_keys_), turned(contiguous(of_keys_)), a_.type);
  }
  TensorId row_numbers() { return g_.tensor(of_rows_, contiguous(of_rows_), GraphType::real32); }
  TensorId query_sums() {
    return g_.tensor(of_queries_, contiguous(of_queries_), GraphType::real32, true);
  }

  TensorId scores(GraphType type = GraphType::real32) {
    return g_.between(of_scores_, contiguous(of_scores_), type);
  }
  TensorId rows() { return g_.between(of_rows_, contiguous(of_rows_)); }

  /// q k^T / sqrt(head_dim), with what a query must not see at the lowest number.
  TensorId masked_scores(TensorId q, TensorId keys_turned) {
    const TensorId raw = scores();
    g_.product(q, keys_turned, raw);
    scale_ = g_.scalar(static_cast<float>(1 / std::sqrt(static_cast<double>(a_.head_dim))));
    const TensorId scaled = scores();
    g_.pointwise(Pointwise::multiply, raw, scale_, scaled);
    return a_.causal ? causal(scaled) : scaled;
  }

  TensorId combined(Pointwise mode, TensorId x, TensorId b) {
    const TensorId result = scores();
    g_.pointwise(mode, x, b, result);
    return result;
  }

  /// The transpose of scores, in the products' format.
  TensorId turned_scores(TensorId x) {
    const TensorId result = g_.between(turned(of_scores_), turned(contiguous(of_scores_)), a_.type);
    g_.reshape(x, result);
    return result;
  }

  /// `rows_of_keys` x `right`, added over the queries' heads that share a key's head.
  void key_gradient(TensorId rows_of_keys, TensorId right, TensorId result) {
    if (a_.heads == a_.kv_heads) return g_.product(rows_of_keys, right, result);
    const Extents every = {a_.batch, a_.heads, a_.keys, a_.head_dim};
    const TensorId of_heads = g_.between(every, contiguous(every), a_.type);
    g_.product(rows_of_keys, right, of_heads);
    g_.reduce(Reduction::add, of_heads, result);
  }

  /// dO * O summed along each row: what softmax's gradient subtracts.
  TensorId row_shift(TensorId up, TensorId out) {
    const TensorId products = g_.between(of_queries_, contiguous(of_queries_));
    g_.pointwise(Pointwise::multiply, up, out, products);
    const TensorId sums = rows();
    g_.reduce(Reduction::add, products, sums);
    const TensorId result = rows();  // the library expects dropout's scale here: one
    g_.pointwise(Pointwise::multiply, sums, one(), result);
    return result;
  }

  TensorId keys_as_rows(TensorId keys_turned) {
    const TensorId result = g_.between(of_keys_, contiguous(of_keys_), a_.type);
    g_.reshape(keys_turned, result);
    return result;
  }

  TensorId one() {
    if (one_ == 0) one_ = g_.scalar(1.0F);
    return one_;
  }
  [[nodiscard]] TensorId scale() const { return scale_; }

 private:
  TensorId causal(TensorId x) {
    const TensorId row = scores(GraphType::integer32), column = scores(GraphType::integer32);
    g_.index(2, x, row);
    g_.index(3, x, column);
    const TensorId seen = scores(GraphType::truth);
    g_.pointwise(Pointwise::greater_or_equal, row, column, seen, GraphType::truth);
    const TensorId result = scores();
    g_.select(x, g_.scalar(std::numeric_limits<float>::lowest()), seen, result);
    return result;
  }

  CudnnGraph& g_;
  AttentionSizes a_;
  Extents of_queries_, of_keys_, of_scores_, of_rows_;
  TensorId scale_ = 0, one_ = 0;
};

}  // namespace

AttentionSizes attention_sizes(const ProbeShape& s) {
  return {.batch = s.argument("batch"),
          .queries = s.argument("queries"),
          .keys = s.argument("keys"),
          .heads = s.argument("heads"),
          .kv_heads = s.argument("kv_heads"),
          .head_dim = s.argument("head_dim"),
          .causal = s.argument("causal") == 1,
          .type = s.precision == Precision::fp16 ? GraphType::real16 : GraphType::brain16};
}

ForwardGraph attention_forward(Cudnn& library, const AttentionSizes& a) {
  ForwardGraph f;
  f.graph = std::make_unique<CudnnGraph>(library);
  CudnnGraph& g = *f.graph;
  Builder b(g, a);
  f.q = b.like_queries();
  f.k = b.turned_keys();
  f.v = b.like_keys();
  f.out = b.like_queries();
  f.log_sum = b.row_numbers();
  const TensorId x = b.masked_scores(f.q, f.k);
  const TensorId largest = b.rows(), sum = b.rows(), log = b.rows();
  g.reduce(Reduction::largest, x, largest);
  const TensorId below = b.combined(Pointwise::subtract, x, largest);
  const TensorId powers = b.scores();
  g.pointwise(Pointwise::exponential, below, powers);
  g.reduce(Reduction::add, powers, sum);
  g.pointwise(Pointwise::logarithm, sum, log);
  g.pointwise(Pointwise::add, largest, log, f.log_sum);
  const TensorId shares = b.scores(a.type);  // a product's operand: 16 bit
  g.pointwise(Pointwise::divide, powers, sum, shares);
  g.product(shares, f.v, f.out);
  return f;
}

BackwardGraph attention_backward(Cudnn& library, const AttentionSizes& a) {
  BackwardGraph f;
  f.graph = std::make_unique<CudnnGraph>(library);
  CudnnGraph& g = *f.graph;
  Builder b(g, a);
  f.q = b.like_queries();
  f.k = b.turned_keys();
  f.v = b.turned_keys();
  f.out = b.like_queries();
  f.up = b.like_queries();
  f.log_sum = b.row_numbers();
  f.dq = b.like_queries();
  f.dk = b.like_keys();
  f.dv = b.like_keys();
  f.dq_sum = b.query_sums();

  const TensorId shift = b.row_shift(f.up, f.out);
  const TensorId x = b.masked_scores(f.q, f.k);
  const TensorId below = b.combined(Pointwise::subtract, x, f.log_sum);
  const TensorId shares = b.scores();
  g.pointwise(Pointwise::exponential, below, shares);
  b.key_gradient(b.turned_scores(shares), f.up, f.dv);

  const TensorId raw = b.scores();
  g.product(f.up, f.v, raw);
  const TensorId kept = b.combined(Pointwise::multiply, raw, b.one());  // dropout's mask: one
  const TensorId moved = b.combined(Pointwise::subtract, kept, shift);
  const TensorId weighted = b.combined(Pointwise::multiply, moved, shares);
  const TensorId slopes = b.combined(Pointwise::multiply, weighted, b.scale());
  b.key_gradient(b.turned_scores(slopes), f.q, f.dk);
  g.product(slopes, b.keys_as_rows(f.k), f.dq_sum);
  g.pointwise(Pointwise::identity, f.dq_sum, f.dq);
  return f;
}

}  // namespace forerun::hw::device
