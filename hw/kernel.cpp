#include "hw/kernel.h"

#include <algorithm>

#include "core/error.h"

namespace forerun::hw {

namespace {

double real(std::int64_t count) { return static_cast<double>(count); }

/// Bytes of one element of a product's result: 16 bit, but 32 bit for the 32-bit formats.
double bytes_of_result(Precision p) {
  return p == Precision::fp32 || p == Precision::tf32 ? 4.0 : 2.0;
}

/// Query-key pairs that are computed: all, or under a causal mask those with key <= query + keys -
/// queries. Queries before the first key see nothing.
double unwindowed_pairs(const Attention& a) {
  if (!a.causal) return real(a.queries) * real(a.keys);
  const double rows = real(std::min(a.queries, a.keys));
  return rows * (real(a.keys) - rows) + rows * (rows + 1) / 2;
}

double pairs(const Attention& a) {
  const double all = unwindowed_pairs(a);
  if (a.window == 0 || a.window >= a.keys) return a.pairs_share * all;
  // Of a causal square, the first `window` queries see all before them and the later ones `window`.
  const double w = real(a.window);
  const double seen = a.causal && a.queries == a.keys ? w * (w + 1) / 2 + (real(a.keys) - w) * w
                                                      : real(a.queries) * w;
  return a.pairs_share * std::min(all, seen);
}

struct FlopsOf {
  Flops operator()(const Gemm& g) const {
    return Flops(2.0 * real(g.m) * real(g.n) * real(g.k) * real(g.batch));
  }
  Flops operator()(const Attention& a) const {
    const double of_pairs = 2.0 * real(a.batch) * real(a.heads) * pairs(a);
    const double d = real(a.head_dim), v = real(a.value_dim());
    return Flops(of_pairs * (a.pass == Pass::forward ? d + v : 3.0 * d + 2.0 * v));
  }
  Flops operator()(const GroupedGemm& g) const {
    return Flops(2.0 * g.rows * real(g.n) * real(g.k));
  }
  Flops operator()(const MemoryBound&) const { return Flops(0); }
  Flops operator()(const Gather&) const { return Flops(0); }
};

struct TrafficOf {
  Bytes operator()(const Gemm& g) const {
    const double in = bytes_per_element(g.precision) * (real(g.m) + real(g.n)) * real(g.k);
    const double out = (g.accumulates ? 8.0 : bytes_of_result(g.precision)) * real(g.m) * real(g.n);
    return Bytes(real(g.batch) * (in + out));
  }
  Bytes operator()(const Attention& a) const {
    // 16-bit tensors. Forward: Q, O once, K, V once, a 32-bit log-sum-exp for each row. Backward
    // besides: dO, dQ, dK, dV and the 32-bit row sums of dO * O.
    const double width = 0.5 * (real(a.head_dim) + real(a.value_dim()));
    const double query = 2.0 * real(a.batch) * real(a.heads) * real(a.queries) * width;
    const double key = 2.0 * real(a.batch) * real(a.kv_heads) * real(a.keys) * width;
    const double row = 4.0 * real(a.batch) * real(a.heads) * real(a.queries);
    return Bytes(a.pass == Pass::forward ? 2 * query + 2 * key + row
                                         : 4 * query + 4 * key + 2 * row);
  }
  Bytes operator()(const GroupedGemm& g) const {
    const double input = bytes_per_element(g.precision), output = bytes_of_result(g.precision);
    const double weights = real(g.groups) * real(g.n) * real(g.k);
    switch (g.pass) {
      case GroupedPass::forward:
        return Bytes(input * (g.rows * real(g.k) + weights) + output * g.rows * real(g.n));
      case GroupedPass::input_gradient:
        return Bytes(input * (g.rows * real(g.n) + weights) + output * g.rows * real(g.k));
      case GroupedPass::weight_gradient:
        return Bytes(input * g.rows * (real(g.n) + real(g.k)) +
                     (g.accumulates ? 8.0 : output) * weights);
    }
    FORERUN_ASSERT(false, "a grouped product without a pass");
  }
  Bytes operator()(const MemoryBound& b) const { return b.read + b.written; }
  Bytes operator()(const Gather& g) const {
    return (g.adding == Adding::none ? 2.0 : 3.0) * real(g.rows) *
           g.row;  // adding reads and writes the table's row
  }
};

}  // namespace

std::string_view name(Precision p) {
  switch (p) {
    case Precision::fp32:
      return "fp32";
    case Precision::tf32:
      return "tf32";
    case Precision::bf16:
      return "bf16";
    case Precision::fp16:
      return "fp16";
    case Precision::fp8:
      return "fp8";
    case Precision::mxfp8:
      return "mxfp8";
    case Precision::nvfp4:
      return "nvfp4";
    case Precision::fp8_block:
      return "fp8_block";
  }
  FORERUN_ASSERT(false, "precision " + std::to_string(static_cast<int>(p)));
}

std::string_view name(AttentionKernel k) {
  switch (k) {
    case AttentionKernel::flash2:
      return "flash2";
    case AttentionKernel::flash3:
      return "flash3";
    case AttentionKernel::cudnn:
      return "cudnn";
    case AttentionKernel::triton:
      return "triton";
  }
  FORERUN_ASSERT(false, "attention kernel " + std::to_string(static_cast<int>(k)));
}

double bytes_per_element(Precision p) {
  switch (p) {
    case Precision::fp32:
    case Precision::tf32:
      return 4.0;
    case Precision::bf16:
    case Precision::fp16:
      return 2.0;
    case Precision::fp8:
      return 1.0;
    case Precision::mxfp8:
      return 1.0 + 1.0 / 32;  // one scale byte for 32 elements
    case Precision::nvfp4:
      return 0.5 + 1.0 / 16;  // one scale byte for 16 elements
    case Precision::fp8_block:
      return 1.0 + 4.0 / 128;  // one 32-bit scale for 128 elements of an activation
  }
  FORERUN_ASSERT(false, "precision " + std::to_string(static_cast<int>(p)));
}

Flops flops(const Kernel& kernel) { return std::visit(FlopsOf{}, kernel); }
Bytes traffic(const Kernel& kernel) { return std::visit(TrafficOf{}, kernel); }

}  // namespace forerun::hw
