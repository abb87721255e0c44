#include "hw/network_graph.h"

#include <doctest/doctest.h>

#include "hw/network_shapes.h"

namespace forerun::hw {
namespace {

DomainShape two_of_two() { return {2, 2, 100.0_GBps, 1.0_us, 10.0_GBps, 1.0_us}; }

TEST_SUITE("hw/network_graph") {
  TEST_CASE("a name means a node's links, a cable or one direction of it") {
    const NetworkGraph g = clos(two_of_two(), {.domains_per_leaf = 1, .spines = 2});
    CHECK(g.links_named("spine-0-1").size() == 4);
    CHECK(g.links_named("leaf-0--spine-0-1").size() == 2);
    CHECK(g.links_named("spine-0-1--leaf-0").size() == 2);
    REQUIRE(g.links_named("leaf-0->spine-0-1").size() == 1);
    CHECK(g.link_name(g.links_named("leaf-0->spine-0-1").front()) == "leaf-0->spine-0-1");
    CHECK(g.links_named("leaf-0--leaf-1").empty());
    CHECK(g.links_named("spine-9").empty());
    CHECK(g.nearest_name("leaf-0--spine-0-7") == ", did you mean spine-0-0?");
  }

  TEST_CASE("a degraded link keeps its share, a failed one is marked") {
    NetworkGraph g = clos(two_of_two(), {.domains_per_leaf = 1, .spines = 1});
    const auto links = g.links_named("leaf-0->spine-0-0");
    const Bandwidth before = g.link(links.front()).bandwidth;
    g.degrade(links, 0.5);
    g.fail(links);
    CHECK(g.link(links.front()).bandwidth == before * 0.5);
    CHECK(g.link(links.front()).failed);
  }

  TEST_CASE("accelerators are found by their place") {
    const NetworkGraph g = clos(two_of_two(), {.domains_per_leaf = 2, .spines = 1});
    CHECK(g.node(g.accelerator(1, 1)).name == "accelerator-1-1");
    CHECK(g.accelerator(1, 2) == -1);
    CHECK(g.accelerators().size() == 4);
  }
}

}  // namespace
}  // namespace forerun::hw
