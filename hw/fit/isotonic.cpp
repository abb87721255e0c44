#include "hw/fit/isotonic.h"

#include <cstddef>

namespace forerun::hw {

std::vector<double> isotonic(const std::vector<double>& values) {
  struct Block {
    double mean;
    std::size_t count;
  };
  std::vector<Block> blocks;
  for (const double value : values) {
    blocks.push_back({value, 1});
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean > blocks.back().mean) {
      const Block last = blocks.back();
      blocks.pop_back();
      Block& b = blocks.back();
      const auto n = static_cast<double>(b.count), m = static_cast<double>(last.count);
      b = {(b.mean * n + last.mean * m) / (n + m), b.count + last.count};
    }
  }
  std::vector<double> result;
  for (const Block& b : blocks) result.insert(result.end(), b.count, b.mean);
  return result;
}

}  // namespace forerun::hw
