#pragma once

/// Collectives as flows over a network's links, for hw/flow_simulation.h.
///
/// Steady: what depends on itself moves together. All hops of a ring pass on what they receive, so
/// a ring is one flow that loads every hop's links alike and moves at the pace of the slowest; so
/// is a tree. The exchanges of an all-to-all do not wait for each other; those that start from one
/// domain are one flow, or those of one rank, or of all, as `parts` says. A collective's latency is
/// that of the analytic model (hw/collective.h) and comes on top: there is one formula for it.
///
/// By steps: every hop of every step is a transfer of its own that waits for the one before, with a
/// latency each; for small groups, and to see what the steady form leaves out.
///
///   ring       one ring for each rail that is up between all successive domains (each member's own
///              NIC), an equal part of the data on each. A ring enters a domain at that member,
///              passes all others over NVLink and leaves by the same NIC. Where no member's own NIC
///              is up, one ring over other NICs of their domains. Bytes on each hop (n-1)/n S,
///              twice that for an all-reduce.
///   tree       all-reduce: NCCL's double binary tree over domains, half of the data on each; data
///              goes up and down the tree, S/2 on every edge and direction; inside a domain along a
///              chain to the member at the NIC and back.
///   pairwise   all-to-all: S/n from every rank to every other. Unlike in a ring, every rank's
///              exchange takes the way to its receiver (hw/network_routes.h).
///   direct     broadcast (ring) and send_receive.
///
/// On a link one flow counts as one, however many queue pairs there are of it: a ring and a rank's
/// all-to-all that leave by one NIC get half of it each. Efficiency is a property of the
/// collective: links are loaded by bytes / efficiency.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hw/collective.h"
#include "hw/flow_simulation.h"
#include "hw/network_routes.h"

namespace forerun::hw {

enum class FlowAlgorithm : std::uint8_t { ring, tree };
/// What of an all-to-all moves together.
enum class Parts : std::uint8_t { all, domain, rank };

/// Reached share of the wires' bandwidth.
struct WireEfficiency {
  double scale_up = 1, network = 1;
};

struct FlowCollective {
  CollectiveKind kind = CollectiveKind::all_reduce;
  Bytes bytes{};              ///< as hw/collective.h counts them
  std::vector<NodeId> ranks;  ///< in ring order; those of one domain together
  FlowAlgorithm algorithm = FlowAlgorithm::ring;
  WireEfficiency efficiency;
  Parts parts = Parts::domain;
  std::int64_t paths = 1;                ///< ways that each exchange is spread over, by hash
  Seconds latency{};                     ///< steady: of the whole
  Seconds step_inside{}, step_across{};  ///< by steps: of one hop over NVLink, over the network
  Seconds start{};
  std::uint64_t tag = 0;  ///< of its flows' hashes
};

/// Reached shares that reproduce the analytic model's: the network's and its scale-up profile's.
[[nodiscard]] WireEfficiency efficiency_of(const Network&, CollectiveKind, FlowAlgorithm);

/// How the ranks lie, as hw/collective.h wants it: the least number of one domain, and how many
/// groups of the same kind use a domain's NICs.
[[nodiscard]] Group group_of(const NetworkGraph&, const std::vector<NodeId>& ranks,
                             std::int64_t sharing);

/// Asserts that the ranks of a domain stand together and that it is a kind with that algorithm.
/// Throws Error if failed links leave some without a way.
[[nodiscard]] std::vector<Transfer> steady_flows(const FlowCollective&, NetworkRoutes&);
/// Rings of all-reduce, all-gather and reduce-scatter, and all-to-all one peer after the other.
/// Appended to others, `first` of them.
[[nodiscard]] std::vector<Transfer> step_flows(const FlowCollective&, NetworkRoutes&,
                                               std::size_t first = 0);

/// Hop i goes from order[i] to order[i + 1]: the links of all its `paths` ways, one after another.
struct Ring {
  std::vector<NodeId> order;
  std::vector<std::vector<LinkId>> hops;
};
[[nodiscard]] std::vector<Ring> rings_of(const FlowCollective&, NetworkRoutes&);

}  // namespace forerun::hw
