#include "hw/network_shapes.h"

#include <fmt/format.h>

#include "core/error.h"

namespace forerun::hw {
namespace {

/// The accelerators, their scale-up switches and NICs; returns the NICs by domain and position.
std::vector<NodeId> add_domains(NetworkGraph& g, const DomainShape& d, bool nics) {
  std::vector<NodeId> all;
  for (std::int64_t i = 0; i < d.domains; ++i) {
    const auto domain = static_cast<std::int32_t>(i);
    NodeId inside = -1;
    if (d.per_domain > 1) {
      inside = g.add_node({fmt::format("nvlink-{}", i), NodeKind::scale_up_switch});
    }
    for (std::int64_t p = 0; p < d.per_domain; ++p) {
      const NodeId a = g.add_node({fmt::format("accelerator-{}-{}", i, p), NodeKind::accelerator,
                                   domain, static_cast<std::int32_t>(p)});
      if (inside >= 0) g.connect(a, inside, d.scale_up, d.scale_up_hop / 2.0);
      if (!nics) continue;
      all.push_back(g.add_node({fmt::format("nic-{}-{}", i, p), NodeKind::nic}));
      g.connect(a, all.back(), d.nic, d.hop);
    }
  }
  return all;
}

/// The leaves of one unit: one, or one a rail.
std::vector<NodeId> add_leaves(NetworkGraph& g, const ClosShape& c, std::int64_t unit,
                               std::int64_t per_domain) {
  std::vector<NodeId> leaves;
  for (std::int64_t r = 0; r < (c.rails ? per_domain : 1); ++r) {
    leaves.push_back(
        g.add_node({c.rails ? fmt::format("leaf-{}-{}", unit, r) : fmt::format("leaf-{}", unit),
                    NodeKind::leaf}));
  }
  return leaves;
}

}  // namespace

ClosShape fat_tree(std::int64_t ports, std::int64_t levels, std::int64_t per_domain,
                   std::int64_t pods, double oversubscription) {
  FORERUN_ASSERT(ports >= 2 && ports % 2 == 0 && (ports / 2) % per_domain == 0 &&
                     (levels == 2 || levels == 3) && pods <= ports,
                 fmt::format("{} ports, {} levels, {} a domain", ports, levels, per_domain));
  ClosShape c;
  c.domains_per_leaf = ports / 2 / per_domain;
  c.spines = ports / 2;
  c.oversubscription = oversubscription;
  c.pods = levels == 3 ? pods : 1;
  c.cores = levels == 3 ? (ports / 2) * (ports / 2) : 0;
  return c;
}

NetworkGraph nvlink_domain(const DomainShape& d) {
  FORERUN_ASSERT(d.domains == 1, fmt::format("{} domains", d.domains));
  NetworkGraph g;
  add_domains(g, d, false);
  return g;
}

NetworkGraph clos(const DomainShape& d, const ClosShape& c) {
  const std::int64_t units = d.domains / c.domains_per_leaf;
  FORERUN_ASSERT(units * c.domains_per_leaf == d.domains && units % c.pods == 0 &&
                     (c.pods == 1 || c.cores > 0) && c.cores % c.spines == 0,
                 fmt::format("{} domains, {} a leaf, {} pods, {} spines, {} cores", d.domains,
                             c.domains_per_leaf, c.pods, c.spines, c.cores));
  NetworkGraph g;
  g.rails = c.rails;
  const std::vector<NodeId> nics = add_domains(g, d, true);
  const std::int64_t down = c.domains_per_leaf * (c.rails ? 1 : d.per_domain);
  const Bandwidth up =
      d.nic * static_cast<double>(down) / (c.oversubscription * static_cast<double>(c.spines));
  std::vector<NodeId> cores;
  for (std::int64_t i = 0; i < c.cores; ++i) {
    cores.push_back(g.add_node({fmt::format("core-{}", i), NodeKind::core}));
  }
  const std::int64_t units_of_pod = units / c.pods;
  const std::int64_t leaves_of_pod = units_of_pod * (c.rails ? d.per_domain : 1);
  for (std::int64_t pod = 0; pod < c.pods; ++pod) {
    std::vector<NodeId> spines;
    for (std::int64_t s = 0; s < c.spines; ++s) {
      spines.push_back(g.add_node({fmt::format("spine-{}-{}", pod, s), NodeKind::spine}));
      const double to_core = static_cast<double>(leaves_of_pod * c.spines) /
                             (c.core_oversubscription * static_cast<double>(c.cores));
      for (std::int64_t i = s; i < c.cores; i += c.spines) {
        g.connect(spines.back(), cores[static_cast<std::size_t>(i)], up * to_core, d.hop);
      }
    }
    for (std::int64_t unit = pod * units_of_pod; unit < (pod + 1) * units_of_pod; ++unit) {
      const std::vector<NodeId> leaves = add_leaves(g, c, unit, d.per_domain);
      for (std::int64_t i = 0; i < c.domains_per_leaf * d.per_domain; ++i) {
        const auto nic = static_cast<std::size_t>(unit * c.domains_per_leaf * d.per_domain + i);
        const auto rail = static_cast<std::size_t>(c.rails ? i % d.per_domain : 0);
        g.connect(nics[nic], leaves[rail], d.nic, d.hop);
      }
      for (const NodeId leaf : leaves) {
        for (const NodeId spine : spines) g.connect(leaf, spine, up, d.hop);
      }
    }
  }
  return g;
}

NetworkGraph dragonfly(const DomainShape& d, const DragonflyShape& s) {
  const std::int64_t routers = s.groups * s.routers;
  FORERUN_ASSERT(
      routers * s.hosts == d.domains * d.per_domain && s.groups <= s.routers * s.global + 1,
      fmt::format("{} groups of {} routers of {} hosts", s.groups, s.routers, s.hosts));
  NetworkGraph g;
  const std::vector<NodeId> nics = add_domains(g, d, true);
  std::vector<NodeId> router;
  for (std::int64_t i = 0; i < routers; ++i) {
    const std::string name = fmt::format("leaf-{}-{}", i / s.routers, i % s.routers);
    router.push_back(g.add_node({name, NodeKind::leaf}));
    for (std::int64_t h = 0; h < s.hosts; ++h) {
      g.connect(nics[static_cast<std::size_t>(i * s.hosts + h)], router.back(), d.nic, d.hop);
    }
    for (std::int64_t j = i - i % s.routers; j < i; ++j) {
      g.connect(router[static_cast<std::size_t>(j)], router.back(), s.local_link, d.hop);
    }
  }
  // Port q of a group (router q / global) leads to the group q + 1 further on, round and round: the
  // other end is that group's port to here. Of ports left over by whole rounds none is used.
  const std::int64_t others = s.groups - 1;
  const std::int64_t rounds = others > 0 ? s.routers * s.global / others : 0;
  const auto at = [&](std::int64_t group, std::int64_t port) {
    return router[static_cast<std::size_t>(group * s.routers + port / s.global)];
  };
  for (std::int64_t a = 0; a < s.groups; ++a) {
    for (std::int64_t b = a + 1; b < s.groups; ++b) {
      for (std::int64_t r = 0; r < rounds; ++r) {
        const std::int64_t there = r * others + (b - a - 1);
        const std::int64_t back = r * others + (a - b + s.groups - 1);
        g.connect(at(a, there), at(b, back), s.global_link, d.hop);
      }
    }
  }
  return g;
}

NetworkGraph torus(const TorusShape& t) {
  NetworkGraph g;
  g.accelerators_forward = true;
  std::int64_t count = 1;
  for (const std::int64_t n : t.size) count *= n;
  for (std::int64_t i = 0; i < count; ++i) {
    std::string name = "accelerator";
    std::int64_t rest = i;
    for (const std::int64_t n : t.size) {
      name += fmt::format("-{}", rest % n);
      rest /= n;
    }
    g.add_node({name, NodeKind::accelerator, static_cast<std::int32_t>(i), 0});
  }
  std::int64_t stride = 1;
  for (const std::int64_t n : t.size) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t x = i / stride % n;
      const bool last = x == n - 1;
      if (last && (!t.wraps || n <= 2)) continue;
      const std::int64_t next = last ? i - x * stride : i + stride;
      g.connect(static_cast<NodeId>(i), static_cast<NodeId>(next), t.link, t.hop);
    }
    stride *= n;
  }
  return g;
}

}  // namespace forerun::hw
