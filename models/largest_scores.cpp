#include "models/largest_scores.h"

namespace forerun::models {
namespace {

constexpr int kSelectionKernels = 4 * 2 + 1 + 2 * 2 + 1;
constexpr std::int64_t kBlockSort = 4096;
constexpr int kSortKernels = 1 + (2 + 4) + 3;

}  // namespace

void largest_scores(OperationBuilder& b, std::int64_t rows, std::int64_t length,
                    std::int64_t count) {
  const auto scores = static_cast<double>(rows * length);
  const auto found = static_cast<double>(rows * count);
  for (int i = 0; i < kSelectionKernels; ++i) b.memory("select largest scores", scores, 4, 4);
  const int sort = count <= kBlockSort ? 1 : kSortKernels;
  for (int i = 0; i < sort; ++i) b.memory("sort largest scores", found, 12, 12);
}

}  // namespace forerun::models
