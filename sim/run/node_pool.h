#pragma once

/// A job's nodes and the spares beside it. What is lost is replaced by a spare, or missing until
/// one comes back.

#include <cstdint>

namespace forerun::sim {

class NodePool {
 public:
  NodePool(std::int64_t nodes, std::int64_t spares) : nodes_(nodes), spares_(spares) {}
  /// One is lost at that tick, and will come back. False if none is left to lose.
  bool lose(std::int64_t now);
  void come_back(std::int64_t now);
  [[nodiscard]] std::int64_t missing() const { return missing_; }
  [[nodiscard]] std::int64_t replaced() const { return replaced_; }
  /// Ticks times nodes that were missing until `now`.
  [[nodiscard]] std::int64_t missing_ticks(std::int64_t now) const {
    return missing_ticks_ + missing_ * (now - since_);
  }

 private:
  void account(std::int64_t now);

  std::int64_t nodes_, spares_, missing_ = 0, replaced_ = 0;
  std::int64_t since_ = 0, missing_ticks_ = 0;
};

}  // namespace forerun::sim
