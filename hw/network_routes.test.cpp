#include "hw/network_routes.h"

#include <doctest/doctest.h>

#include <map>

#include "hw/network_shapes.h"

namespace forerun::hw {
namespace {

DomainShape domains_of(std::int64_t domains, std::int64_t each) {
  return {domains, each, 450.0_GBps, 1.0_us, 50.0_GBps, 1.0_us};
}

std::string text(const NetworkGraph& g, const std::vector<LinkId>& way) {
  std::string out = g.node(g.link(way.front()).from).name;
  for (const LinkId l : way) out += " " + g.node(g.link(l).to).name;
  return out;
}

TEST_SUITE("hw/network_routes") {
  TEST_CASE("traffic stays on NVLink inside a domain and under a leaf inside a unit") {
    const NetworkGraph g = clos(domains_of(4, 2), {.domains_per_leaf = 2, .spines = 4});
    NetworkRoutes routes(g, 1);
    std::vector<LinkId> way;
    routes.append(g.accelerator(0, 0), g.accelerator(0, 1), 7, way);
    CHECK(text(g, way) == "accelerator-0-0 nvlink-0 accelerator-0-1");
    way.clear();
    routes.append(g.accelerator(0, 0), g.accelerator(1, 1), 7, way);
    CHECK(text(g, way) == "accelerator-0-0 nic-0-0 leaf-0 nic-1-1 accelerator-1-1");
  }

  TEST_CASE("with rails traffic changes to its receiver's rail inside its own domain") {
    NetworkGraph g = clos(domains_of(2, 2), {.rails = true, .domains_per_leaf = 2, .spines = 1});
    const NodeId from = g.accelerator(0, 0), to = g.accelerator(1, 1);
    std::vector<LinkId> way;
    NetworkRoutes(g, 1).append(from, to, 7, way);
    CHECK(text(g, way) ==
          "accelerator-0-0 nvlink-0 accelerator-0-1 nic-0-1 leaf-0-1 nic-1-1 accelerator-1-1");
    // Its own rail is down: through the spines.
    g.fail(g.links_named("nic-0-1"));
    way.clear();
    NetworkRoutes(g, 1).append(from, to, 7, way);
    CHECK(text(g, way) ==
          "accelerator-0-0 nic-0-0 leaf-0-0 spine-0-0 leaf-0-1 nic-1-1 accelerator-1-1");
    g.fail(g.links_named("leaf-0-1"));
    CHECK_FALSE(NetworkRoutes(g, 1).distance(from, to).has_value());
  }

  TEST_CASE("the same flow and seed take the same way, others are spread over all spines") {
    const NetworkGraph g = clos(domains_of(2, 1), {.domains_per_leaf = 1, .spines = 8});
    const NodeId from = g.accelerator(0, 0), to = g.accelerator(1, 0);
    const auto ways = [&](std::uint64_t seed) {
      NetworkRoutes routes(g, seed);
      std::vector<std::vector<LinkId>> all(8000);
      for (std::size_t f = 0; f < all.size(); ++f) routes.append(from, to, f, all[f]);
      return all;
    };
    const auto one = ways(1);
    CHECK(one == ways(1));
    CHECK(one != ways(2));
    std::map<LinkId, int> up;
    for (const auto& way : one) ++up[way[2]];
    CHECK(up.size() == 8);
    // Binomial: 1,000 each, standard deviation sqrt(8000 x 1/8 x 7/8) = 30.
    for (const auto& [link, flows] : up) CHECK(std::abs(flows - 1000) < 4 * 30);
  }

  TEST_CASE("failed links are not taken") {
    NetworkGraph g = clos(domains_of(2, 1), {.domains_per_leaf = 1, .spines = 2});
    g.fail(g.links_named("leaf-0->spine-0-0"));
    NetworkRoutes routes(g, 1);
    for (std::uint64_t f = 0; f < 100; ++f) {
      std::vector<LinkId> way;
      routes.append(g.accelerator(0, 0), g.accelerator(1, 0), f, way);
      CHECK(g.node(g.link(way[2]).to).name == "spine-0-1");
    }
  }

  TEST_CASE("a torus goes around the shorter side, through accelerators") {
    const NetworkGraph g = torus({{8, 8}, true, 45.0_GBps, 1.0_us});
    NetworkRoutes routes(g, 1);
    CHECK(*routes.distance(0, 7) == 1);
    CHECK(*routes.distance(0, 4 + 8 * 4) == 8);
  }
}

}  // namespace
}  // namespace forerun::hw
