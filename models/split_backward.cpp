#include "models/split_backward.h"

#include <algorithm>
#include <cstddef>

namespace forerun::models {
namespace {

bool is_exchange(const LayerOperation& o) {
  return std::holds_alternative<Exchange>(o.work) ||
         std::holds_alternative<hw::ExpertExchange>(o.work);
}

}  // namespace

SplitBackward split_backward(const OperationList& backward) {
  SplitBackward split;
  split.inputs.sets = split.weights.sets = backward.sets;
  // Where each operation of the whole list went; of a weight gradient the compute operation before
  // it, for what was issued after both.
  std::vector<std::int32_t> went(backward.operations.size(), -1);
  std::int32_t last_compute = -1, owed = -1;
  for (std::size_t i = 0; i < backward.operations.size(); ++i) {
    LayerOperation o = backward.operations[i];
    if (o.weight_gradient) {
      // What comes next waits for the exchange that this one would have waited for.
      owed = std::max(owed, o.wait);
      o.wait = -1;
      split.weights.operations.push_back(o);
      went[i] = last_compute;
      continue;
    }
    const bool exchange = is_exchange(o);
    if (!exchange) o.wait = std::max(o.wait, std::exchange(owed, -1));
    if (o.wait >= 0) o.wait = went[static_cast<std::size_t>(o.wait)];
    went[i] = static_cast<std::int32_t>(split.inputs.operations.size());
    if (!exchange) last_compute = went[i];
    split.inputs.operations.push_back(o);
  }
  const std::int32_t trailing = std::max(backward.trailing, owed);
  if (trailing >= 0) split.inputs.trailing = went[static_cast<std::size_t>(trailing)];
  return split;
}

namespace {

/// The operands of one product: the gradient of its output and its input.
struct Operands {
  Bytes gradient{}, input{};
};

struct OperandsOf {
  Operands operator()(const hw::Gemm& g) const {
    // dW[n, k] of m rows is the product n x k x m.
    const double element = hw::bytes_per_element(g.precision) * static_cast<double>(g.batch);
    return {Bytes(element * static_cast<double>(g.m * g.k)),
            Bytes(element * static_cast<double>(g.n * g.k))};
  }
  Operands operator()(const hw::GroupedGemm& g) const {
    const double rows = hw::bytes_per_element(g.precision) * g.rows;
    return {Bytes(rows * static_cast<double>(g.n)), Bytes(rows * static_cast<double>(g.k))};
  }
  Operands operator()(const hw::Gather& g) const {
    return {static_cast<double>(g.rows) * g.row, Bytes(0)};
  }
  /// Sums over a matrix of weights read what a product just wrote.
  Operands operator()(const hw::MemoryBound&) const { return {}; }
  Operands operator()(const hw::Attention&) const { return {}; }
};

}  // namespace

Bytes kept_for_weights(const OperationList& weights) {
  Bytes sum{};
  const LayerOperation* before = nullptr;
  Bytes input_before{};
  for (const LayerOperation& o : weights.operations) {
    const auto* kernel = std::get_if<hw::Kernel>(&o.work);
    if (kernel == nullptr) continue;
    const Operands held = std::visit(OperandsOf{}, *kernel);
    if (held.gradient <= Bytes(0)) continue;
    // Products of one part, and of one set of weights, have one input.
    const bool shared = before != nullptr && before->part == o.part && before->set == o.set &&
                        input_before == held.input && before->name != o.name;
    sum += held.gradient + (shared ? Bytes(0) : held.input);
    before = &o;
    input_before = held.input;
  }
  return sum;
}

}  // namespace forerun::models
