#pragma once

/// Collectives as NCCL runs them. Time of one collective over one group, running alone, without
/// contention (that is the flow fidelity's business), excluding the launch cost of the host.
///
/// A group is described by how its ranks lie: `ranks` in all, `per_domain` of them in one NVLink
/// domain, and `sharing`: how many groups of the same kind leave a domain at the same time through
/// the same NICs (tensor-parallel peers each run their own data-parallel ring).
///
/// Inside a domain: measured curves over size and ranks (hw/scale_up.h), beyond the measured rank
/// counts NCCL's own tuning model, corrected by the nearest measured count. Across domains: the
/// cheapest of ring, tree (with in-switch reduction: NVLS tree) and, where the network has it,
/// SHARP; equations in collective.cpp. Where the profile has measured curves of its own (made by
/// `forerun calibrate`), they go before: inside a domain in place of the scale-up profile's, across
/// domains for groups that lie as the measured one; a group of other ranks or beside others takes
/// the model's time in the ratio of measured to modelled of the nearest measured group.
///
/// `bytes` is as nccl-tests counts it: the buffer of an all-reduce, the whole gathered result, the
/// whole input of a rank's reduce-scatter, the complete buffer of a rank's all-to-all, the message
/// of a send_receive (a group of two ranks, per_domain 2: over NVLink, 1: over a NIC). Bus
/// bandwidth = bytes / time x (n-1)/n, twice that for all-reduce.
///
/// Not modelled: congestion of other jobs, hash collisions of flows, failed links, SM use of the
/// collective (the caller's tax on kernels beside it).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"
#include "core/quantity.h"
#include "hw/scale_up.h"

namespace forerun::hw {

struct Group {
  std::int64_t ranks = 1;
  std::int64_t per_domain = 1;  ///< ranks of this group in one scale-up domain (<= ranks)
  std::int64_t sharing = 1;     ///< groups of this kind that use a domain's NICs at once
  auto operator<=>(const Group&) const = default;
};

/// Times measured on the machine itself, between one group of ranks that had the NICs for itself.
struct MeasuredCurve {
  CollectiveKind kind = CollectiveKind::all_reduce;
  std::int64_t per_domain = 1;  ///< of the curve's ranks
  std::vector<Bytes> sizes;     ///< rising
  std::vector<Seconds> times;   ///< not falling
  std::string source;
  Curve curve;  ///< the same
};

/// The machines' links, from hw/profiles/networks/NAME.json or built from a few numbers.
struct Network {
  std::string name;
  std::string scale_up_profile;           ///< "a100", "h100", "mi300x", "tpu-v4" ...
  std::shared_ptr<const ScaleUp> inside;  ///< that profile: shared because large and immutable
  std::int64_t domain = 8;                ///< accelerators of one scale-up (NVLink) domain
  std::int64_t per_node = 8;              ///< accelerators of one host
  Bandwidth scale_up{};                   ///< per accelerator and direction
  Bandwidth network{};                    ///< per accelerator and direction, out of the domain
  Bandwidth nic{};                        ///< of the NIC that one accelerator alone can fill
  double network_efficiency = 0;          ///< reached fraction of it: rings and point to point
  double tree_efficiency = 0;             ///< reached fraction: trees; 0: never picked
  double all_to_all_efficiency = 0;       ///< reached fraction: all-to-all
  std::int64_t group_nics = 0;   ///< NICs of a domain that one all-reduce uses; 0: all of them
  Bandwidth low_latency{};       ///< bus bandwidth limit of the low-latency protocol between hosts
  Seconds network_latency{};     ///< one low-latency message between hosts, as NCCL sees it
  Seconds ring_latency{};        ///< one step of a bulk (Simple) ring between hosts
  Seconds tree_latency{};        ///< one level of a bulk (Simple) tree between hosts, one way
  Seconds collective_latency{};  ///< fixed start of a multi-node collective
  Seconds message_gap{};         ///< between two messages of one rank, all-to-all
  Bytes fill{};                  ///< of a domain: what one tree level holds back
  double degradation_per_doubling = 0;  ///< of bandwidth, per doubling of domains beyond two
  bool sharp = false;                   ///< in-network all-reduce
  bool nvls = false;                    ///< in-switch (NVLink SHARP) reduction, also under a tree
  /// Host time of issuing an exchange inside a layer, per rank of its group, in jobs of several
  /// domains. Zero but for clusters where rows show it; the cause is not established.
  Seconds exchange_host{};
  /// Share of the accelerator's collective_tax that an exchange by NCCL between domains takes: it
  /// runs on as many channels, a multiprocessor each, as NICs need.
  double network_tax = 1.0;
  double in_job_efficiency = 1.0;  ///< bandwidth inside a training job over bandwidth in isolation
  /// "collectives" of the profile, if it has any. Those inside one domain are among `inside`'s too.
  std::vector<MeasuredCurve> measured;
  std::map<std::string, Evidence> evidence;   ///< by field name
  std::map<std::string, std::string> source;  ///< by field name
};

struct CollectiveTime {
  Seconds time{};
  Seconds latency{};           ///< the part that does not shrink with bandwidth
  std::string_view algorithm;  ///< "ring", "tree", "nvls", "nvls-tree", "sharp", "p2p", "table"
  DurationEvidence evidence = DurationEvidence::modelled;
};

/// Zero for a group of one rank or no bytes.
[[nodiscard]] CollectiveTime collective_time(CollectiveKind, Bytes, const Group&, const Network&);
[[nodiscard]] Bandwidth bus_bandwidth(CollectiveKind, Bytes, std::int64_t ranks, Seconds);

[[nodiscard]] std::optional<Network> read_network(const std::string& json_text, Problems&);
/// Puts the curves that lie in one domain in the place of `inside`'s of the same kind and ranks.
void take_measured(const std::vector<MeasuredCurve>& measured, ScaleUp& inside);
/// The network profile of that name; throws Error naming the nearest if there is none.
[[nodiscard]] Network load_network(const std::string& name);
[[nodiscard]] std::vector<std::string> network_names();

/// The network of a machine of which only these numbers are known: the usual profile of the
/// accelerator's generation ("h100-sxm-80gb" or "h100": dgx-h100) where the numbers agree with it;
/// else that profile with these numbers, one NIC an accelerator, and the rest marked assumed. A
/// zero `network` (not published, or one node) takes the usual one, assumed.
[[nodiscard]] Network make_network(const std::string& accelerator_or_scale_up, std::int64_t domain,
                                   std::int64_t per_node, Bandwidth network);
/// The group that nccl-tests runs on `ranks` accelerators: whole domains, nothing beside it.
[[nodiscard]] Group packed_group(std::int64_t ranks, const Network&);
/// The scale-up profile that an accelerator's name belongs to, the longest that it begins with
/// ("h100-pcie" before "h100" of "h100-pcie-80gb"); throws Error naming the nearest.
[[nodiscard]] std::string scale_up_of(const std::string& accelerator);

}  // namespace forerun::hw
