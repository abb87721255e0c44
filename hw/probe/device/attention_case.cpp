// Fused attention by cuDNN, forward and backward.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "hw/probe/device/attention_graph.h"
#include "hw/probe/device/case.h"
#include "hw/probe/device/kernels.h"
#include "hw/probe/device/runtime.h"
#include "hw/probe/reference.h"
#include "hw/probe/verdict.h"

namespace forerun::hw::device {
namespace {

/// Buffers of both passes.
struct Tensors {
  Tensors(const AttentionSizes& a, bool back)
      : queries(a.batch * a.heads * a.queries * a.head_dim),
        keys(a.batch * a.kv_heads * a.keys * a.head_dim),
        rows(a.batch * a.heads * a.queries),
        q(size(queries, 2)),
        k(size(keys, 2)),
        v(size(keys, 2)),
        out(size(queries, 2)),
        log_sum(size(rows, 4)),
        up(size(back ? queries : 1, 2)),
        dq(size(back ? queries : 1, 2)),
        dk(size(back ? keys : 1, 2)),
        dv(size(back ? keys : 1, 2)),
        dq_sum(size(back ? queries : 1, 4)) {}
  static std::size_t size(std::int64_t count, std::size_t each) {
    return static_cast<std::size_t>(count) * each;
  }
  std::int64_t queries, keys, rows;  // elements
  Buffer q, k, v, out, log_sum, up, dq, dk, dv, dq_sum;
};

class AttentionCase : public Case {
 public:
  AttentionCase(const ProbeShape& s, Context& context)
      : a_(attention_sizes(s)),
        back_(s.pass == ProbePass::backward),
        type_(input_element(s.precision.value_or(Precision::bf16))),
        t_(a_, back_) {
    if (a_.causal && a_.queries != a_.keys) {
      throw Error(ExitCode::wrong, "the probe's causal attention has as many queries as keys");
    }
    if (a_.heads % a_.kv_heads != 0) {
      throw Error(ExitCode::wrong,
                  fmt::format("{} heads of queries over {} of keys", a_.heads, a_.kv_heads));
    }
    forward_ = attention_forward(context.cudnn(), a_);
    forward_.graph->plan();
    if (back_) {
      backward_ = attention_backward(context.cudnn(), a_);
      backward_.graph->plan();
    }
    std::int64_t needed = std::max<std::int64_t>(forward_.graph->workspace_bytes(), 16);
    if (back_) needed = std::max(needed, backward_.graph->workspace_bytes());
    workspace_ = std::make_unique<Buffer>(static_cast<std::size_t>(needed));
    const std::uint64_t seed = context.seed();
    fill_random(t_.q.data(), type_, t_.queries, seed, 1, own_.get());
    fill_random(t_.k.data(), type_, t_.keys, seed + 1, 1, own_.get());
    fill_random(t_.v.data(), type_, t_.keys, seed + 2, 1, own_.get());
    if (back_) fill_random(t_.up.data(), type_, t_.queries, seed + 3, 1, own_.get());
    run_forward(own_.get());
    own_.synchronise();
  }

  void launch(cudaStream_t stream) override { back_ ? run_backward(stream) : run_forward(stream); }

  std::optional<double> error(cudaStream_t stream) override {
    launch(stream);
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    double worst = 0;
    for (const std::int64_t row : {std::int64_t{0}, a_.queries / 2, a_.queries - 1}) {
      worst = std::max(worst, query_error(a_.heads - 1, row));
    }
    return back_ ? std::max(worst, key_error(a_.kv_heads - 1, a_.keys / 2)) : worst;
  }

 private:
  void run_forward(cudaStream_t stream) {
    forward_.graph->run({{forward_.q, t_.q.data()},
                         {forward_.k, t_.k.data()},
                         {forward_.v, t_.v.data()},
                         {forward_.out, t_.out.data()},
                         {forward_.log_sum, t_.log_sum.data()}},
                        workspace_->data(), stream);
  }

  void run_backward(cudaStream_t stream) {
    // Part of the pass: the kernels add into it.
    check(cudaMemsetAsync(t_.dq_sum.data(), 0, t_.dq_sum.size(), stream), "cudaMemsetAsync");
    backward_.graph->run({{backward_.q, t_.q.data()},
                          {backward_.k, t_.k.data()},
                          {backward_.v, t_.v.data()},
                          {backward_.out, t_.out.data()},
                          {backward_.log_sum, t_.log_sum.data()},
                          {backward_.up, t_.up.data()},
                          {backward_.dq, t_.dq.data()},
                          {backward_.dk, t_.dk.data()},
                          {backward_.dv, t_.dv.data()},
                          {backward_.dq_sum, t_.dq_sum.data()}},
                         workspace_->data(), stream);
  }

  /// Rows `first` to `first + count` of a head of the last sequence of the batch.
  [[nodiscard]] std::vector<double> rows(const Buffer& buffer, std::int64_t heads,
                                         std::int64_t head, std::int64_t length, std::int64_t first,
                                         std::int64_t count) const {
    const std::int64_t at = (((a_.batch - 1) * heads + head) * length + first) * a_.head_dim;
    return download(buffer.data(), type_, at, count * a_.head_dim);
  }
  [[nodiscard]] double scale() const { return 1 / std::sqrt(static_cast<double>(a_.head_dim)); }

  /// Of one query's result, or of its gradient.
  [[nodiscard]] double query_error(std::int64_t head, std::int64_t row) const {
    const std::int64_t kv_head = head / (a_.heads / a_.kv_heads);
    const std::int64_t seen = a_.causal ? row + 1 : a_.keys;
    const auto q = rows(t_.q, a_.heads, head, a_.queries, row, 1);
    const auto k = rows(t_.k, a_.kv_heads, kv_head, a_.keys, 0, seen);
    const auto v = rows(t_.v, a_.kv_heads, kv_head, a_.keys, 0, seen);
    if (!back_) {
      return largest_error(rows(t_.out, a_.heads, head, a_.queries, row, 1),
                           attention_reference(q, k, v, scale()).out);
    }
    const auto up = rows(t_.up, a_.heads, head, a_.queries, row, 1);
    const auto exact = attention_query_gradient(q, k, v, up, scale());
    // The first causal query sees one key, so its share is one and its gradient zero: rounding
    // alone.
    if (a_.causal && row == 0) return 0;
    return largest_error(rows(t_.dq, a_.heads, head, a_.queries, row, 1), exact);
  }

  /// Of one key's and its value's gradient, over all queries of all heads that see it. The forward
  /// pass's results, checked above, stand in for another softmax of every row.
  [[nodiscard]] double key_error(std::int64_t kv_head, std::int64_t place) const {
    const auto d = static_cast<std::size_t>(a_.head_dim);
    const std::int64_t shared = a_.heads / a_.kv_heads, first = a_.causal ? place : 0;
    const std::int64_t count = a_.queries - first;
    const auto key = rows(t_.k, a_.kv_heads, kv_head, a_.keys, place, 1);
    const auto value = rows(t_.v, a_.kv_heads, kv_head, a_.keys, place, 1);
    KeyGradient sum{std::vector<double>(d), std::vector<double>(d)};
    for (std::int64_t head = kv_head * shared; head < (kv_head + 1) * shared; ++head) {
      const auto q = rows(t_.q, a_.heads, head, a_.queries, first, count);
      const auto out = rows(t_.out, a_.heads, head, a_.queries, first, count);
      const auto up = rows(t_.up, a_.heads, head, a_.queries, first, count);
      const auto logs = download(t_.log_sum.data(), Element::fp32,
                                 ((a_.batch - 1) * a_.heads + head) * a_.queries + first, count);
      for (std::size_t i = 0; i < logs.size(); ++i) {
        const auto row = [&](const std::vector<double>& all) {
          return std::span(all).subspan(i * d, d);
        };
        add_key_gradient(sum, row(q), key, value, row(out), row(up), logs[i], scale());
      }
    }
    return std::max(largest_error(rows(t_.dk, a_.kv_heads, kv_head, a_.keys, place, 1), sum.key),
                    largest_error(rows(t_.dv, a_.kv_heads, kv_head, a_.keys, place, 1), sum.value));
  }

  AttentionSizes a_;
  bool back_;
  Element type_;
  CudaStream own_;
  Tensors t_;
  ForwardGraph forward_{};
  BackwardGraph backward_{};
  std::unique_ptr<Buffer> workspace_;
};

}  // namespace

std::unique_ptr<Case> make_attention_case(const ProbeShape& s, Context& context) {
  return std::make_unique<AttentionCase>(s, context);
}

}  // namespace forerun::hw::device
