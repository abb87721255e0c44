#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "hw/collective_flows.h"

namespace forerun::hw {
namespace {

/// The ranks by domain, in the order in which the domains come.
std::vector<std::vector<NodeId>> by_domain(const NetworkGraph& g,
                                           const std::vector<NodeId>& ranks) {
  std::vector<std::vector<NodeId>> all;
  std::map<std::int32_t, bool> seen;
  for (const NodeId r : ranks) {
    const std::int32_t domain = g.node(r).domain;
    if (all.empty() || g.node(all.back().front()).domain != domain) {
      FORERUN_ASSERT(!seen[domain], fmt::format("domain {} comes twice", domain));
      seen[domain] = true;
      all.emplace_back();
    }
    all.back().push_back(r);
  }
  return all;
}

bool reaches(NetworkRoutes& routes, const std::vector<std::vector<NodeId>>& domains,
             std::size_t member) {
  for (std::size_t d = 0; d < domains.size(); ++d) {
    const std::vector<NodeId>& next = domains[(d + 1) % domains.size()];
    if (!routes.distance(domains[d][member], next[member])) return false;
  }
  return true;
}

}  // namespace

Group group_of(const NetworkGraph& g, const std::vector<NodeId>& ranks, std::int64_t sharing) {
  Group group{static_cast<std::int64_t>(ranks.size()), static_cast<std::int64_t>(ranks.size()),
              sharing};
  for (const std::vector<NodeId>& d : by_domain(g, ranks)) {
    group.per_domain = std::min(group.per_domain, static_cast<std::int64_t>(d.size()));
  }
  return group;
}

std::vector<Ring> rings_of(const FlowCollective& c, NetworkRoutes& routes) {
  const std::vector<std::vector<NodeId>> domains = by_domain(routes.graph(), c.ranks);
  std::size_t members = domains.front().size();
  for (const auto& d : domains) members = std::min(members, d.size());
  std::vector<Ring> rings;
  std::vector<std::size_t> rails;
  for (std::size_t m = 0; m < members; ++m) {
    if (domains.size() == 1 || reaches(routes, domains, m)) rails.push_back(m);
  }
  // None of the members' own: one ring over other NICs of their domains.
  const bool by_others = rails.empty();
  if (by_others) rails.push_back(0);
  for (const std::size_t m : rails) {
    Ring ring;
    std::vector<NodeId> exits;  // of each rank: whose NIC it leaves by, or -1 inside the domain
    for (const std::vector<NodeId>& d : domains) {
      for (std::size_t i = 0; i < d.size(); ++i) {
        ring.order.push_back(d[(m + i) % d.size()]);
        const bool leaves = i + 1 == d.size() && domains.size() > 1;
        exits.push_back(leaves && !by_others ? d[m] : -1);
      }
    }
    for (std::size_t i = 0; i < ring.order.size(); ++i) {
      const NodeId from = ring.order[i], to = ring.order[(i + 1) % ring.order.size()];
      std::vector<LinkId>& way = ring.hops.emplace_back();
      if (exits[i] < 0 && !routes.connected(from, to)) {
        throw Error(ExitCode::infeasible,
                    fmt::format("failed links leave no way from {} to {}",
                                routes.graph().node(from).name, routes.graph().node(to).name));
      }
      for (std::int64_t p = 0; p < c.paths; ++p) {
        // Each ring has queue pairs of its own: its hashes are not another ring's.
        const std::uint64_t flow =
            (c.tag << 40) ^ (static_cast<std::uint64_t>(p) << 32) ^ (m * ring.order.size() + i);
        if (exits[i] >= 0) {
          routes.append_through(from, exits[i], to, flow, way);
        } else {
          routes.append(from, to, flow, way);
        }
      }
    }
    rings.push_back(std::move(ring));
  }
  return rings;
}

}  // namespace forerun::hw
