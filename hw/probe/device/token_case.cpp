// Rows moved by an index: the embedding's table, and tokens brought together by modality.

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/random.h"
#include "hw/probe/device/case.h"
#include "hw/probe/device/kernels.h"
#include "hw/probe/device/runtime.h"
#include "hw/probe/verdict.h"

namespace forerun::hw::device {
namespace {

std::size_t bytes(std::int64_t rows, std::int64_t width) {
  return 2 * static_cast<std::size_t>(rows) * static_cast<std::size_t>(width);
}

/// Place of each token when those of one modality stand together: modalities are drawn token by
/// token, order within one is kept.
std::vector<std::int32_t> sorted_places(std::int64_t tokens, std::int64_t modalities,
                                        std::uint64_t seed) {
  const Stream stream(seed, "probe/modality");
  std::vector<std::uint64_t> modality;
  for (std::int64_t i = 0; i < tokens; ++i) {
    modality.push_back(
        stream.below(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(modalities)));
  }
  std::vector<std::int32_t> order(modality.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return modality[static_cast<std::size_t>(a)] < modality[static_cast<std::size_t>(b)];
  });
  return order;
}

class TokenCase : public Case {
 public:
  TokenCase(const ProbeShape& s, Context& context)
      : shape_(s),
        is_table_(s.family == ProbeFamily::embedding),
        rows_(s.argument(is_table_ ? "rows" : "tokens")),
        width_(s.argument("width")),
        others_(is_table_ ? s.argument("vocabulary") : rows_),
        index_(4 * static_cast<std::size_t>(rows_)),
        near_(bytes(rows_, width_)),
        far_(bytes(others_, width_)) {
    fill_random(near_.data(), Element::bf16, rows_ * width_, context.seed(), 1, own_.get());
    fill_random(far_.data(), Element::bf16, others_ * width_, context.seed() + 1, 1, own_.get());
    if (is_table_) {
      fill_indices(index_.as<std::int32_t>(), rows_, static_cast<std::int32_t>(others_),
                   context.seed() + 2, own_.get());
    } else {
      const auto order = sorted_places(rows_, s.argument("modalities"), context.seed());
      upload(index_.data(), order.data(), index_.size(), own_);
    }
    own_.synchronise();
  }

  void launch(cudaStream_t stream) override {
    const auto* index = index_.as<std::int32_t>();
    if (shape_.family == ProbeFamily::modality_scatter) {
      scatter_rows(near_.data(), index, far_.data(), rows_, width_, stream);
    } else if (shape_.pass == ProbePass::backward) {
      scatter_add_rows(near_.data(), index, far_.data(), rows_, width_, stream);
    } else {
      gather_rows(far_.data(), index, near_.data(), rows_, width_, stream);
    }
  }

  std::optional<double> error(cudaStream_t stream) override {
    const bool adds = shape_.pass == ProbePass::backward;
    // A table of zeros: sums of few rows are then exact but for one rounding each.
    if (adds) check(cudaMemsetAsync(far_.data(), 0, far_.size(), stream), "cudaMemsetAsync");
    launch(stream);
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    const std::vector<double> index = download(index_.data(), Element::int32, 0, rows_);
    std::vector<double> got, exact;
    for (const std::int64_t row : {std::int64_t{0}, rows_ / 2, rows_ - 1}) {
      const double at = index[static_cast<std::size_t>(row)];
      append(got,
             download(far_.data(), Element::bf16, static_cast<std::int64_t>(at) * width_, width_));
      append(exact, adds ? sum_of(index, at)
                         : download(near_.data(), Element::bf16, row * width_, width_));
    }
    return largest_error(got, exact);
  }

 private:
  static void append(std::vector<double>& to, const std::vector<double>& more) {
    to.insert(to.end(), more.begin(), more.end());
  }

  [[nodiscard]] std::vector<double> sum_of(const std::vector<double>& index, double at) const {
    std::vector<double> sum(static_cast<std::size_t>(width_));
    for (std::size_t i = 0; i < index.size(); ++i) {
      if (index[i] != at) continue;
      const auto row =
          download(near_.data(), Element::bf16, static_cast<std::int64_t>(i) * width_, width_);
      for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += row[j];
    }
    return sum;
  }

  ProbeShape shape_;
  bool is_table_;
  std::int64_t rows_, width_, others_;
  CudaStream own_;
  Buffer index_, near_, far_;
};

}  // namespace

std::unique_ptr<Case> make_token_case(const ProbeShape& s, Context& context) {
  return std::make_unique<TokenCase>(s, context);
}

}  // namespace forerun::hw::device
