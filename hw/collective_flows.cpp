#include "hw/collective_flows.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace forerun::hw {
namespace {

/// Collects what one flow loads its links with.
class Uses {
 public:
  Uses(const NetworkGraph& graph, const WireEfficiency& e) : graph_(graph), efficiency_(e) {}
  void add(const std::vector<LinkId>& way, double bytes) {
    for (const LinkId id : way) {
      const double reached = graph_.link(id).scale_up ? efficiency_.scale_up : efficiency_.network;
      uses_.push_back({id, bytes / reached});
    }
  }
  /// The flow of as many bytes as `bytes` says, of which `uses` are all bytes on the links.
  [[nodiscard]] Transfer transfer(const FlowCollective& c, double bytes) {
    Transfer t;
    t.uses = merged(std::move(uses_));
    for (LinkUse& u : t.uses) u.share /= bytes;
    t.bytes = Bytes(bytes);
    t.latency = c.latency;
    t.start = c.start;
    uses_.clear();
    return t;
  }
  [[nodiscard]] bool empty() const { return uses_.empty(); }

 private:
  const NetworkGraph& graph_;
  WireEfficiency efficiency_;
  std::vector<LinkUse> uses_;
};

/// Adds one exchange, over as many ways as the collective spreads it.
void add_exchange(const FlowCollective& c, NetworkRoutes& routes, NodeId from, NodeId to,
                  double bytes, Uses& uses) {
  if (!routes.connected(from, to)) {
    throw Error(ExitCode::infeasible,
                fmt::format("failed links leave no way from {} to {}",
                            routes.graph().node(from).name, routes.graph().node(to).name));
  }
  std::vector<LinkId> way;
  for (std::int64_t p = 0; p < c.paths; ++p) {
    way.clear();
    const std::uint64_t flow = (c.tag << 48) ^ (static_cast<std::uint64_t>(from) << 28) ^
                               (static_cast<std::uint64_t>(to) << 8) ^
                               static_cast<std::uint64_t>(p);
    routes.append(from, to, flow, way);
    uses.add(way, bytes / static_cast<double>(c.paths));
  }
}

std::vector<Transfer> ring_flows(const FlowCollective& c, NetworkRoutes& routes) {
  std::vector<Transfer> flows;
  const std::vector<Ring> rings = rings_of(c, routes);
  const double bytes = bus_factor(c.kind, static_cast<std::int64_t>(c.ranks.size())) *
                       c.bytes.base() / static_cast<double>(rings.size());
  for (const Ring& ring : rings) {
    Uses uses(routes.graph(), c.efficiency);
    // A broadcast's ring is not closed.
    const std::size_t hops = ring.hops.size() - (c.kind == CollectiveKind::broadcast ? 1 : 0);
    for (std::size_t i = 0; i < hops; ++i)
      uses.add(ring.hops[i], bytes / static_cast<double>(c.paths));
    flows.push_back(uses.transfer(c, bytes));
  }
  return flows;
}

/// The parent of `i` in NCCL's binary tree over n (graph/trees.cc), or -1 at the root: in binary,
/// the lowest one moves a place up; where that passes n, the place below it.
std::int64_t parent_of(std::int64_t i, std::int64_t n) {
  if (i == 0) return -1;
  const std::int64_t low = i & -i;
  const std::int64_t up = (i ^ low) | (low << 1);
  return up < n ? up : i ^ low;
}

/// Half of the data on each of two trees; the second is the first mirrored, or moved by one where
/// the number of domains is odd, so that no domain is inside both.
std::vector<Transfer> tree_flows(const FlowCollective& c, NetworkRoutes& routes) {
  std::vector<Transfer> flows;
  const std::vector<Ring> rings = rings_of(c, routes);
  const double bytes = c.bytes.base() / 2.0 / static_cast<double>(rings.size());
  // A ring's order has each domain begin with the member at its NIC.
  for (const Ring& ring : rings) {
    std::vector<std::size_t> heads;  // of each domain, in ring.order
    for (std::size_t i = 0; i < ring.order.size(); ++i) {
      const auto domain = [&](std::size_t k) { return routes.graph().node(ring.order[k]).domain; };
      if (i == 0 || domain(i) != domain(i - 1)) heads.push_back(i);
    }
    const auto n = static_cast<std::int64_t>(heads.size());
    for (const bool second : {false, true}) {
      Uses uses(routes.graph(), c.efficiency);
      const auto place = [&](std::int64_t i) {
        const std::int64_t other = n % 2 == 0 ? n - 1 - i : (i + 1) % n;
        return ring.order[heads[static_cast<std::size_t>(second ? other : i)]];
      };
      for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t up = parent_of(i, n);
        if (up < 0) continue;
        add_exchange(c, routes, place(i), place(up), bytes, uses);
        add_exchange(c, routes, place(up), place(i), bytes, uses);
      }
      for (std::size_t i = 0; i + 1 < ring.order.size(); ++i) {
        const NodeId a = ring.order[i], b = ring.order[i + 1];
        if (routes.graph().node(a).domain != routes.graph().node(b).domain) continue;
        add_exchange(c, routes, a, b, bytes, uses);
        add_exchange(c, routes, b, a, bytes, uses);
      }
      if (!uses.empty()) flows.push_back(uses.transfer(c, bytes));
    }
  }
  return flows;
}

std::size_t domain_count(const NetworkGraph& graph, const std::vector<NodeId>& ranks) {
  std::size_t domains = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (i == 0 || graph.node(ranks[i]).domain != graph.node(ranks[i - 1]).domain) ++domains;
  }
  return domains;
}

std::vector<Transfer> exchange_flows(const FlowCollective& c, NetworkRoutes& routes) {
  std::vector<Transfer> flows;
  Uses uses(routes.graph(), c.efficiency);
  const double each = c.bytes.base() / static_cast<double>(c.ranks.size());
  const double sent = each * static_cast<double>(c.ranks.size() - 1);
  for (std::size_t i = 0; i < c.ranks.size(); ++i) {
    for (const NodeId to : c.ranks) {
      if (to != c.ranks[i]) add_exchange(c, routes, c.ranks[i], to, each, uses);
    }
    const bool last = i + 1 == c.ranks.size();
    const bool leaves = last || routes.graph().node(c.ranks[i]).domain !=
                                    routes.graph().node(c.ranks[i + 1]).domain;
    if (last || c.parts == Parts::rank || (c.parts == Parts::domain && leaves)) {
      flows.push_back(uses.transfer(c, sent));
    }
  }
  return flows;
}

}  // namespace

WireEfficiency efficiency_of(const Network& n, CollectiveKind kind, FlowAlgorithm algorithm) {
  const ScaleUp& s = *n.inside;
  const bool exchange = kind == CollectiveKind::all_to_all;
  const bool pairs = kind == CollectiveKind::send_receive;
  const double network = exchange                           ? n.all_to_all_efficiency
                         : algorithm == FlowAlgorithm::tree ? n.tree_efficiency
                                                            : n.network_efficiency;
  const Bandwidth inside = exchange ? s.all_to_all : pairs ? s.pair : s.ring;
  return {inside / s.link, network * n.in_job_efficiency};
}

std::vector<Transfer> steady_flows(const FlowCollective& c, NetworkRoutes& routes) {
  if (c.ranks.size() < 2 || !(c.bytes.base() > 0)) return {};
  switch (c.kind) {
    case CollectiveKind::all_to_all:
      return exchange_flows(c, routes);
    case CollectiveKind::send_receive: {
      Uses uses(routes.graph(), c.efficiency);
      add_exchange(c, routes, c.ranks[0], c.ranks[1], c.bytes.base(), uses);
      return {uses.transfer(c, c.bytes.base())};
    }
    case CollectiveKind::all_reduce:
      return c.algorithm == FlowAlgorithm::tree ? tree_flows(c, routes) : ring_flows(c, routes);
    case CollectiveKind::all_gather:
    case CollectiveKind::reduce_scatter:
    case CollectiveKind::broadcast:
      FORERUN_ASSERT(c.algorithm == FlowAlgorithm::ring, std::string(name(c.kind)));
      return ring_flows(c, routes);
  }
  FORERUN_ASSERT(false, "a collective without a kind");
}

std::vector<Transfer> step_flows(const FlowCollective& c, NetworkRoutes& routes,
                                 std::size_t first) {
  if (c.ranks.size() < 2 || !(c.bytes.base() > 0)) return {};
  const auto latency = [&](NodeId from, NodeId to) {
    const NetworkGraph& g = routes.graph();
    return g.node(from).domain == g.node(to).domain ? c.step_inside : c.step_across;
  };
  std::vector<Transfer> flows;
  const std::size_t n = c.ranks.size();
  Uses uses(routes.graph(), c.efficiency);
  const auto id = [&](std::size_t index) { return static_cast<std::int32_t>(first + index); };
  if (c.kind == CollectiveKind::all_to_all) {
    // By domain, then by member, as NCCL orders them: in a step all send inside their domain or all
    // over the network, each to another, and none is ahead of the others.
    const auto group = static_cast<std::size_t>(group_of(routes.graph(), c.ranks, 1).per_domain);
    const bool even = n % group == 0 && domain_count(routes.graph(), c.ranks) * group == n;
    const std::size_t d = even ? group : 1;
    const double each = c.bytes.base() / static_cast<double>(n);
    for (std::size_t step = 1; step < n; ++step) {
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t peer = (i / d + step / d) % (n / d) * d + (i + step) % d;
        const NodeId from = c.ranks[i], to = c.ranks[peer];
        add_exchange(c, routes, from, to, each, uses);
        Transfer t = uses.transfer(c, each);
        t.latency = latency(from, to);
        if (step > 1) t.behind = {id(flows.size() - n)};
        flows.push_back(std::move(t));
      }
    }
    return flows;
  }
  const bool both = c.kind == CollectiveKind::all_reduce;
  FORERUN_ASSERT(
      c.algorithm == FlowAlgorithm::ring && (both || c.kind == CollectiveKind::all_gather ||
                                             c.kind == CollectiveKind::reduce_scatter),
      std::string(name(c.kind)));
  const std::vector<Ring> rings = rings_of(c, routes);
  const double chunk = c.bytes.base() / static_cast<double>(n * rings.size());
  for (const Ring& ring : rings) {
    for (std::size_t step = 0; step < (n - 1) * (both ? 2 : 1); ++step) {
      for (std::size_t i = 0; i < n; ++i) {
        uses.add(ring.hops[i], chunk / static_cast<double>(c.paths));
        Transfer t = uses.transfer(c, chunk);
        t.latency = latency(ring.order[i], ring.order[(i + 1) % n]);
        if (step > 0) {
          const std::size_t row = flows.size() - i - n;  // of the step before
          t.after = {id(row + (i + n - 1) % n)};
          t.behind = {id(row + i)};
        }
        flows.push_back(std::move(t));
      }
    }
  }
  return flows;
}

}  // namespace forerun::hw
