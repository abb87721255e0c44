#include "hw/network_shapes.h"

#include <doctest/doctest.h>

#include <set>

#include "hw/network_cut.h"
#include "hw/network_routes.h"

namespace forerun::hw {
namespace {

DomainShape domains_of(std::int64_t domains, std::int64_t each) {
  return {domains, each, 450.0_GBps, 1.0_us, 50.0_GBps, 1.0_us};
}

std::size_t count(const NetworkGraph& g, NodeKind kind) {
  std::size_t n = 0;
  for (const NetworkNode& node : g.nodes()) n += node.kind == kind ? 1 : 0;
  return n;
}

double bisection(const NetworkGraph& g) { return bisection_bandwidth(g) / 1.0_GBps; }

TEST_SUITE("hw/network_shapes") {
  // Al-Fares et al.: k = 8 gives k^3/4 = 128 hosts, (k/2)^2 = 16 cores, k^2/2 = 32 leaves and as
  // many spines, k^3/4 cables between each two levels, and full bisection: half the hosts' NICs.
  TEST_CASE("a three-level fat tree has the counts and the bisection of its paper") {
    const NetworkGraph g = clos(domains_of(128, 1), fat_tree(8, 3, 1, 8, 1));
    CHECK(count(g, NodeKind::accelerator) == 128);
    CHECK(count(g, NodeKind::leaf) == 32);
    CHECK(count(g, NodeKind::spine) == 32);
    CHECK(count(g, NodeKind::core) == 16);
    CHECK(g.links().size() == 2 * (128 + 128 + 128 + 128));  // accelerator-NIC too
    for (const NetworkLink& l : g.links()) CHECK(l.bandwidth / 50.0_GBps == doctest::Approx(1));
    CHECK(bisection(g) == doctest::Approx(64 * 50));
  }

  TEST_CASE("oversubscription divides the bisection of two levels and of three") {
    CHECK(bisection(clos(domains_of(8, 8), {.domains_per_leaf = 2, .spines = 4})) ==
          doctest::Approx(32 * 50));
    CHECK(bisection(clos(domains_of(8, 8),
                         {.domains_per_leaf = 2, .spines = 4, .oversubscription = 4})) ==
          doctest::Approx(32 * 50 / 4.0));
    const ClosShape pods{
        .domains_per_leaf = 1, .spines = 2, .pods = 2, .cores = 4, .core_oversubscription = 7};
    CHECK(bisection(clos(domains_of(8, 8), pods)) == doctest::Approx(32 * 50 / 7.0));
  }

  TEST_CASE("with rails each position of a unit's domains has a leaf of its own") {
    const NetworkGraph g =
        clos(domains_of(8, 4), {.rails = true, .domains_per_leaf = 4, .spines = 2});
    CHECK(count(g, NodeKind::leaf) == 2 * 4);
    CHECK(g.links_named("nic-5-3--leaf-1-3").size() == 2);
    CHECK(g.links_named("nic-5-3--leaf-1-2").empty());
    CHECK(bisection(g) == doctest::Approx(16 * 50));
  }

  // 2 x 100 GB/s NVLink of each half.
  TEST_CASE("one domain's halves are joined by its switch") {
    CHECK(bisection(nvlink_domain(domains_of(1, 4))) == doctest::Approx(2 * 450));
  }

  // Kim et al.: a = 4 routers, p = 2 hosts, h = 2 global links, g = a h + 1 = 9 groups, any two
  // joined by one link; hosts of two groups are at most 3 router hops apart.
  TEST_CASE("a full dragonfly joins any two groups once, at most three router hops apart") {
    const DragonflyShape shape{9, 4, 2, 2, 50.0_GBps, 50.0_GBps};
    const NetworkGraph g = dragonfly(domains_of(72, 1), shape);
    std::set<std::pair<NodeId, NodeId>> joined;
    std::map<NodeId, int> global;
    const auto first = static_cast<NodeId>(g.nodes().size()) - 36;
    for (const NetworkLink& l : g.links()) {
      if (l.from < first || l.to < first) continue;
      const NodeId a = (l.from - first) / 4, b = (l.to - first) / 4;
      if (a == b) continue;
      CHECK(joined.insert({a, b}).second);
      ++global[l.from];
    }
    CHECK(joined.size() == 9 * 8);
    for (const auto& [router, links] : global) CHECK(links == 2);
    NetworkRoutes routes(g, 1);
    for (const NodeId to : g.accelerators()) {
      if (to != g.accelerators()[0]) CHECK(*routes.distance(g.accelerators()[0], to) <= 4 + 3);
    }
  }

  // A k x k torus cut across one axis: k rings cut twice.
  TEST_CASE("a torus' bisection is twice its cross-section, a mesh's once") {
    const auto at = [](bool wraps) {
      return bisection(torus({{4, 4, 8}, wraps, 45.0_GBps, 1.0_us}));
    };
    CHECK(at(true) == doctest::Approx(2 * 16 * 45));
    CHECK(at(false) == doctest::Approx(16 * 45));
    CHECK(torus({{4, 4}, true, 45.0_GBps, {}}).links().size() == 4 * 16);
  }

  TEST_CASE("failed spines and degraded links lower the bisection by their share") {
    NetworkGraph g = clos(domains_of(4, 8), {.domains_per_leaf = 1, .spines = 8});
    g.fail(g.links_named("spine-0-3"));
    CHECK(bisection(g) == doctest::Approx(16 * 50 * 7 / 8.0));
    g.degrade(g.links_named("spine-0-2"), 0.5);
    CHECK(bisection(g) == doctest::Approx(16 * 50 * 6.5 / 8));
  }
}

}  // namespace
}  // namespace forerun::hw
