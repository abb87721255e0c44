#pragma once

/// A cluster's network as hw/profiles/topologies/NAME.json describes it: its shape, what of it has
/// failed, and the jobs that one wants to see on it. Accelerators, NVLink and NICs are those of a
/// network profile (hw/collective.h), so that both fidelities start from the same numbers; a torus,
/// which has neither NVLink nor NICs, states its links itself.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"
#include "core/quantity.h"
#include "core/reader.h"
#include "hw/collective.h"
#include "hw/network_graph.h"
#include "hw/network_job.h"

namespace forerun::hw {

enum class TopologyKind : std::uint8_t {
  nvlink_domain,
  fat_tree,
  leaf_spine,
  rail_optimised,
  dragonfly,
  torus
};
[[nodiscard]] std::string_view name(TopologyKind);

struct DegradedLink {
  std::string name;
  double keeps = 1;  ///< share of its bandwidth
};

struct Topology {
  std::string name, what;
  TopologyKind kind = TopologyKind::nvlink_domain;
  std::optional<Network> network;  ///< none: a torus
  NetworkGraph graph;              ///< with what failed and is degraded
  /// The same without failed and degraded links, where there are some; nodes have equal numbers.
  std::optional<NetworkGraph> intact;
  std::int64_t paths = 1;  ///< ways that each exchange is spread over
  std::vector<std::string> failed;
  std::vector<DegradedLink> degraded;
  std::vector<NetworkJob> jobs;
  std::map<std::string, Evidence> evidence;   ///< by field name
  std::map<std::string, std::string> source;  ///< by field name
};

/// Most nodes and links of a topology: beyond, it is refused.
inline constexpr std::int64_t kMostNodes = 1 << 18, kMostLinks = 1 << 22;

[[nodiscard]] std::optional<Topology> read_topology(const JsonDocument&, Problems&);
/// Path of the file of that name in hw/profiles/topologies, or `name` itself if that is a file;
/// throws Error naming the nearest if there is neither.
[[nodiscard]] std::string topology_path(const std::string& name);
[[nodiscard]] std::vector<std::string> topology_names();

}  // namespace forerun::hw
