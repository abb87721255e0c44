#pragma once

/// Who holds how much at one moment of a step. Private to sim/memory.cpp.

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/quantity.h"
#include "sim/memory.h"

namespace forerun::sim {

/// Bytes by owner at one moment. Owners' names are static text: a walk looks at many moments.
class Ledger {
 public:
  void add(std::string_view owner, Bytes bytes) {
    if (bytes <= Bytes(0)) return;
    FORERUN_ASSERT(size_ < entries_.size(), "more owners than a ledger has lines");
    entries_[size_++] = {owner, bytes};
    total_ += bytes;
  }
  [[nodiscard]] Bytes total() const { return total_; }
  /// Largest first.
  [[nodiscard]] std::vector<MemoryOwner> owners() const {
    std::vector<MemoryOwner> sorted;
    for (std::size_t i = 0; i < size_; ++i) {
      sorted.push_back({std::string(entries_[i].owner), entries_[i].bytes});
    }
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const MemoryOwner& x, const MemoryOwner& y) { return x.bytes > y.bytes; });
    return sorted;
  }

 private:
  struct Entry {
    std::string_view owner;
    Bytes bytes{};
  };
  std::array<Entry, 16> entries_;
  std::size_t size_ = 0;
  Bytes total_{};
};

}  // namespace forerun::sim
