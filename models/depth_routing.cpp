#include "models/depth_routing.h"

#include <algorithm>

#include "models/largest_scores.h"
#include "models/low_precision.h"

namespace forerun::models {
namespace {

/// The chosen tokens' 64-bit indices back in the order of the tokens (cub: histograms, their sum,
/// eight digits). Counted by hand, not traced.
constexpr int kIndexSortKernels = 2 + 8;

/// The picked tokens' 16-bit rows added to those of all.
hw::Gather added_rows(const Architecture& a, const Slice& some) {
  return {some.outer_tokens(), Bytes(2.0 * static_cast<double>(a.hidden)), hw::Adding::atomics,
          sixteen_bit(some.precision)};
}

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
  b.memory("depth scores", tokens, 4, 4);
  largest_scores(b, 1, s.outer_tokens(), some.outer_tokens());
  for (int i = 0; i < kIndexSortKernels; ++i) {
    b.memory("sort picked indices", static_cast<double>(some.outer_tokens()), 8, 8);
  }
  b.memory("pick tokens", picked, 2, 2);
}

void put_back_by_depth(OperationBuilder& b, const Architecture& a, const Slice& s,
                       const Slice& some) {
  if (!a.depth_routing) return;
  b.part(LayerPart::router);
  const auto width = static_cast<double>(a.hidden);
  b.memory("copy all tokens", static_cast<double>(s.outer_tokens()) * width, 2, 2);
  b.kernel("put tokens back", added_rows(a, some));
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
  b.kernel("spread token gradients", added_rows(a, some));
  const std::int64_t tokens = s.outer_tokens();
  b.kernel("depth router input gradient", hw::Gemm{tokens, a.hidden, 1, sixteen_bit(s.precision)});
  b.weight_gradient(true);
  b.kernel("depth router weight gradient", hw::Gemm{1, a.hidden, tokens, sixteen_bit(s.precision)});
  b.weight_gradient(false);
  // Of the tokens that pass by, of the picked and of the router.
  for (int i = 0; i < 2; ++i) b.memory("join token gradients", all, 4, 2);
}

}  // namespace forerun::models
