#include "models/depth_routing.h"

#include <algorithm>

#include "models/low_precision.h"

namespace forerun::models {
namespace {

/// Kernels that choose the tokens of a depth-routed layer: the sigmoid, PyTorch's top-k of one long
/// row (aten/src/ATen/native/cuda/TensorTopK.cu: four digits of eight bits, two kernels each, then
/// counts, two scans of two and the gather) and the sort that puts the chosen back in order (cub:
/// histograms, their sum, eight digits of a 64-bit index). Counted by hand, not traced.
constexpr int kChoosingKernels = 1 + (4 * 2 + 1 + 2 * 2 + 1) + (2 + 8);

}  // namespace

Slice routed_slice(const Architecture& a, const Slice& s) {
  if (!a.depth_routing) return s;
  Slice some = s;
  const auto share = [&](std::int64_t tokens) {
    return static_cast<std::int64_t>(a.depth_routing->capacity * static_cast<double>(tokens));
  };
  // Whole shards of context and sequence parallelism.
  const std::int64_t unit = s.context * (s.sequence_parallel ? s.tensor : 1);
  some.sequence = std::max(unit, share(s.sequence) / unit * unit);
  for (ModalityTokens& m : some.modalities) m.tokens = share(m.tokens);
  return some;
}

void pick_by_depth(OperationBuilder& b, const Architecture& a, const Slice& s, const Slice& some) {
  if (!a.depth_routing) return;
  b.part(LayerPart::router);
  const auto tokens = static_cast<double>(s.outer_tokens());
  const auto picked = static_cast<double>(some.outer_tokens()) * static_cast<double>(a.hidden);
  b.kernel("depth router", hw::Gemm{s.outer_tokens(), 1, a.hidden, sixteen_bit(s.precision)});
  for (int i = 0; i < kChoosingKernels; ++i) b.memory("choose tokens", tokens, 4, 4);
  b.memory("pick tokens", picked, 2, 2);
}

void put_back_by_depth(OperationBuilder& b, const Architecture& a, const Slice& s,
                       const Slice& some) {
  if (!a.depth_routing) return;
  b.part(LayerPart::router);
  const auto width = static_cast<double>(a.hidden);
  b.memory("copy all tokens", static_cast<double>(s.outer_tokens()) * width, 2, 2);
  b.memory("put tokens back", static_cast<double>(some.outer_tokens()) * width, 4, 2);
}

void put_back_gradient_by_depth(OperationBuilder& b, const Architecture& a, const Slice& some) {
  if (!a.depth_routing) return;
  b.part(LayerPart::router);
  const auto picked = static_cast<double>(some.outer_tokens()) * static_cast<double>(a.hidden);
  // The gradient of what was put back, and of its weights with the outputs.
  b.memory("pick token gradients", picked, 2 + 4, 2, 2);
}

void pick_gradient_by_depth(OperationBuilder& b, const Architecture& a, const Slice& s,
                            const Slice& some) {
  if (!a.depth_routing) return;
  b.part(LayerPart::router);
  const auto width = static_cast<double>(a.hidden);
  const double all = static_cast<double>(s.outer_tokens()) * width;
  b.memory("zero token gradients", all, 0, 2);
  b.memory("spread token gradients", static_cast<double>(some.outer_tokens()) * width, 4, 2);
  const std::int64_t tokens = s.outer_tokens();
  b.kernel("depth router input gradient", hw::Gemm{tokens, a.hidden, 1, sixteen_bit(s.precision)});
  b.weight_gradient(true);
  b.kernel("depth router weight gradient", hw::Gemm{1, a.hidden, tokens, sixteen_bit(s.precision)});
  b.weight_gradient(false);
  // Of the tokens that pass by, of the picked and of the router.
  for (int i = 0; i < 2; ++i) b.memory("join token gradients", all, 4, 2);
}

}  // namespace forerun::models
