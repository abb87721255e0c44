#include "sim/replay/waiting.h"

#include <algorithm>

namespace forerun::replay {
namespace {

/// `value`, or zero if it is negative, which is counted.
std::int64_t not_negative(std::int64_t value, std::int64_t& negative, std::int64_t& worst) {
  if (value >= 0) return value;
  ++negative;
  worst = std::max(worst, -value);
  return 0;
}

}  // namespace

Work split_waiting(const JobTrace& trace, const ReplayGraph& graph) {
  Work work;
  const std::size_t n = trace.operations.size();
  work.durations.resize(n);
  work.gaps.resize(n);
  const auto operation = [&](std::int32_t o) -> const TracedOperation& {
    return trace.operations[static_cast<std::size_t>(o)];
  };
  for (std::size_t i = 0; i < n; ++i) {
    const auto id = static_cast<std::int32_t>(i);
    const TracedOperation& o = trace.operations[i];
    std::int64_t ready = 0, begun = o.begin;
    for (const std::int32_t w : graph.waits(id)) ready = std::max(ready, operation(w).end());
    if (graph.group(id) >= 0) {
      for (const std::int32_t m : graph.members(graph.group(id))) {
        begun = std::max(begun, operation(m).begin);
      }
    }
    if (!trace.dated) {
      work.durations[i] = o.duration;
      continue;
    }
    work.durations[i] = not_negative(o.end() - begun, work.negative_transfers, work.worst);
    work.gaps[i] = not_negative(o.begin - ready, work.negative_gaps, work.worst);
  }
  return work;
}

}  // namespace forerun::replay
