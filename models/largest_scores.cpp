#include "models/largest_scores.h"

namespace forerun::models {
namespace {

constexpr std::int64_t kLongRow = 20'000;
constexpr int kSelectionKernels = 16;
constexpr Seconds kBlockSelection{5.1e-9};

constexpr std::int64_t kBlockSort = 4096;
constexpr int kSortKernels = 1 + (2 + 4) + 3;
constexpr int kRowsSortKernels = 1 + (2 + 4) + (2 + 4) + 1 + 3;

}  // namespace

void largest_scores(OperationBuilder& b, std::int64_t rows, std::int64_t length,
                    std::int64_t count) {
  const auto scores = static_cast<double>(rows * length);
  const auto found = static_cast<double>(rows * count);
  if (length < kLongRow) {
    b.kernel("select largest scores",
             hw::MemoryBound{Bytes(4.0 * scores), Bytes(4.0 * scores), false,
                             static_cast<double>(length) * kBlockSelection});
  } else {
    for (int i = 0; i < kSelectionKernels; ++i) b.memory("select largest scores", scores, 4, 4);
  }
  const int sort = count <= kBlockSort ? 1 : rows > 1 ? kRowsSortKernels : kSortKernels;
  for (int i = 0; i < sort; ++i) b.memory("sort largest scores", found, 12, 12);
}

}  // namespace forerun::models
