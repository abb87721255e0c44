#pragma once

/// Collectives as NCCL runs them. Time of one collective over one group, running alone, without
/// contention (that is the flow fidelity's business), excluding the launch cost of the host.
///
/// A group is described by how its ranks lie: `ranks` in all, `per_domain` of them in one NVLink
/// domain, and `sharing`: how many groups of the same kind leave a node at the same time through the
/// same NICs (tensor-parallel peers each run their own data-parallel ring: each has its own NIC, so
/// bandwidth leaving a node is the node's NIC bandwidth divided by the groups that share it).
///
/// Inside a domain: interpolation of measured bus bandwidth over size and ranks where there are
/// tables, else NCCL's own tuning model (algorithm and protocol by least cost). Across domains: ring
/// and tree over NICs, latency per hop, NVLS trees, SHARP where the network has it, and measured
/// degradation at scale. Bus bandwidth = bytes / time x (n-1)/n, twice that for all-reduce.
/// `bytes` is as nccl-tests counts it: the buffer of an all-reduce, the whole gathered result, the
/// whole input of a rank's reduce-scatter, the complete buffer of a rank's all-to-all.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"
#include "core/quantity.h"

namespace forerun::hw {

enum class CollectiveKind : std::uint8_t {
  all_reduce, all_gather, reduce_scatter, all_to_all, broadcast, send_receive
};
[[nodiscard]] std::string_view name(CollectiveKind);

struct Group {
  std::int64_t ranks = 1;
  std::int64_t per_domain = 1;  ///< ranks of this group in one scale-up domain (<= ranks)
  std::int64_t sharing = 1;     ///< groups of this kind that use a domain's NICs at once
  auto operator<=>(const Group&) const = default;
};

struct CurvePoint {
  Bytes size{};
  Seconds time{};
};

/// The machines' links, from hw/profiles/networks/NAME.json or built from a few numbers.
struct Network {
  std::string name;
  std::string scale_up_profile;     ///< which measured tables: "h100", "a100", "b200", "gb200" ...
  std::int64_t domain = 8;          ///< accelerators of one scale-up (NVLink) domain
  std::int64_t per_node = 8;        ///< accelerators of one host
  Bandwidth scale_up{};             ///< per accelerator and direction
  Bandwidth network{};              ///< per accelerator and direction, out of the domain
  Seconds network_latency{};        ///< one message between two hosts, NIC to NIC, as NCCL sees it
  Seconds collective_latency{};     ///< fixed start of a multi-node collective (EFA: tens of us)
  double network_efficiency = 0;    ///< reached fraction of `network` for large messages
  double degradation_per_doubling = 0;  ///< of large-message bandwidth, per doubling of domains
  bool sharp = false;               ///< in-network all-reduce
  bool nvls = false;                ///< in-switch (NVLink SHARP) all-reduce
  double in_job_efficiency = 1.0;   ///< bandwidth inside a training job over bandwidth in isolation
  /// Measured curves inside one domain: by kind, then by ranks.
  std::map<CollectiveKind, std::map<std::int64_t, std::vector<CurvePoint>>> curves;
  std::map<std::string, Evidence> evidence;   ///< by field name
  std::map<std::string, std::string> source;  ///< by field name
};

struct CollectiveTime {
  Seconds time{};
  Seconds latency{};        ///< the part that does not shrink with bandwidth
  std::string_view algorithm;  ///< "ring", "tree", "nvls", "nvls-tree", "sharp", "p2p", "table"
  DurationEvidence evidence = DurationEvidence::modelled;
};

[[nodiscard]] CollectiveTime collective_time(CollectiveKind, Bytes, const Group&, const Network&);
[[nodiscard]] Bandwidth bus_bandwidth(CollectiveKind, Bytes, std::int64_t ranks, Seconds);

[[nodiscard]] std::optional<Network> read_network(const std::string& json_text, Problems&);
/// The network profile of that name; throws Error naming the nearest if there is none.
[[nodiscard]] Network load_network(const std::string& name);
[[nodiscard]] std::vector<std::string> network_names();

}  // namespace forerun::hw
