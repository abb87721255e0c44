#include "sim/run/node_pool.h"

namespace forerun::sim {

void NodePool::account(std::int64_t now) {
  missing_ticks_ = missing_ticks(now);
  since_ = now;
}

bool NodePool::lose(std::int64_t now) {
  if (spares_ > 0) {
    --spares_;
    ++replaced_;
    return true;
  }
  if (missing_ == nodes_) return false;
  account(now);
  ++missing_;
  return true;
}

void NodePool::come_back(std::int64_t now) {
  if (missing_ == 0) {
    ++spares_;
    return;
  }
  account(now);
  --missing_;
  ++replaced_;
}

}  // namespace forerun::sim
