#pragma once

/// A collective that one wants to see on a topology: which, how many bytes, between which ranks.

#include <cstdint>
#include <string>
#include <vector>

#include "core/quantity.h"
#include "core/reader.h"
#include "hw/collective_flows.h"
#include "hw/network_graph.h"

namespace forerun::hw {

inline constexpr std::int64_t kMostAccelerators = 1 << 17;
/// Most ranks of all groups of a job, and most flows between pairs that it may mean.
inline constexpr std::int64_t kMostPairs = 1 << 24;

/// One collective on `groups` groups of accelerators at once. Group g has `count` ranks: runs of
/// `run` neighbours, `stride` apart, the first at first + g x group_stride, in the numbering domain
/// by domain.
struct NetworkJob {
  std::string name;
  CollectiveKind kind = CollectiveKind::all_reduce;
  FlowAlgorithm algorithm = FlowAlgorithm::ring;
  Bytes bytes{};
  std::int64_t first = 0, count = 0, run = 0, stride = 0, groups = 1, group_stride = 0;
  Seconds start{};
};
/// Places of group g's ranks in the graph's accelerators.
[[nodiscard]] std::vector<std::int64_t> places(const NetworkJob&, std::int64_t group);

/// Reads and finishes one; problems are the Reader's.
[[nodiscard]] NetworkJob read_network_job(Reader&);
/// Reports what only the graph can tell: ranks beyond it, twice, or apart from their domain's.
void check_network_job(Reader&, const NetworkJob&, const NetworkGraph&);

}  // namespace forerun::hw
