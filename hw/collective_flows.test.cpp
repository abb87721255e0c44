#include "hw/collective_flows.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "hw/network_shapes.h"

namespace forerun::hw {
namespace {

/// A network that NCCL runs rings on only, and its domains under one leaf: nothing contends.
Network rings_only(const std::string& name) {
  Network n = load_network(name);
  n.tree_efficiency = 0;
  n.sharp = false;
  n.group_nics = 0;
  n.degradation_per_doubling = 0;
  n.nic = n.network;  // the graph has one NIC an accelerator
  return n;
}

DomainShape shape_of(const Network& n, std::int64_t domains) {
  return {domains, n.domain, n.scale_up, n.inside->hop, n.network, 0.5_us};
}

std::vector<NodeId> ranks(const NetworkGraph& g, std::int64_t domains, std::int64_t each,
                          std::int64_t first = 0) {
  std::vector<NodeId> all;
  for (std::int64_t d = 0; d < domains; ++d) {
    for (std::int64_t p = first; p < first + each; ++p) {
      all.push_back(g.accelerator(static_cast<std::int32_t>(d), static_cast<std::int32_t>(p)));
    }
  }
  return all;
}

FlowCollective collective(const Network& n, CollectiveKind kind, Bytes bytes,
                          std::vector<NodeId> ranks,
                          FlowAlgorithm algorithm = FlowAlgorithm::ring) {
  FlowCollective c;
  c.kind = kind;
  c.bytes = bytes;
  c.ranks = std::move(ranks);
  c.algorithm = algorithm;
  c.efficiency = efficiency_of(n, kind, algorithm);
  return c;
}

Seconds flow_time(const NetworkGraph& g, const std::vector<FlowCollective>& all) {
  NetworkRoutes routes(g, 1);
  std::vector<Transfer> flows;
  for (const FlowCollective& c : all) {
    for (Transfer& t : steady_flows(c, routes)) flows.push_back(std::move(t));
  }
  return simulate_flows(g, flows).end;
}

constexpr std::array kRings = {CollectiveKind::all_reduce, CollectiveKind::all_gather,
                               CollectiveKind::reduce_scatter};

TEST_SUITE("hw/collective_flows") {
  // Steady flows and the analytic bandwidth term are the same sum of bytes over the same slowest
  // link; what is left is rounding to picoseconds, 1e-9 of a millisecond.
  TEST_CASE("alone, a ring takes the analytic bandwidth term on every network and group") {
    for (const char* name : {"dgx-a100", "dgx-h100", "dgx-b200", "aws-p5", "h800-ib",
                             "a100-hdr-half", "gb200-nvl72", "gb300-nvl72"}) {
      const Network n = rings_only(name);
      const NetworkGraph g =
          clos(shape_of(n, 16), {.rails = true, .domains_per_leaf = 16, .spines = 1});
      for (const std::int64_t domains : {2, 3, 16}) {
        for (const std::int64_t each : {std::int64_t{1}, n.domain / 2, n.domain}) {
          for (const CollectiveKind kind : kRings) {
            const CollectiveTime analytic =
                collective_time(kind, 16.0_GiB, {domains * each, each, 1}, n);
            const Seconds flow =
                flow_time(g, {collective(n, kind, 16.0_GiB, ranks(g, domains, each))});
            INFO(name << ", " << domains << " x " << each << ", " << hw::name(kind));
            CHECK(analytic.algorithm == "ring");
            CHECK(flow / (analytic.time - analytic.latency) == doctest::Approx(1).epsilon(1e-7));
          }
        }
      }
    }
  }

  TEST_CASE("inside a domain a ring takes the ring bandwidth of NCCL's model") {
    for (const char* name : {"dgx-a100", "dgx-b200", "gb200-nvl72"}) {
      const Network n = rings_only(name);
      const NetworkGraph g = nvlink_domain(shape_of(n, 1));
      for (const std::int64_t each : {std::int64_t{2}, std::int64_t{5}, n.domain}) {
        for (const CollectiveKind kind : kRings) {
          const Seconds expected = bus_factor(kind, each) * 4.0_GiB / n.inside->ring;
          const Seconds flow = flow_time(g, {collective(n, kind, 4.0_GiB, ranks(g, 1, each))});
          CHECK(flow / expected == doctest::Approx(1).epsilon(1e-7));
        }
      }
    }
  }

  TEST_CASE("alone, an all-to-all takes the analytic bandwidth term, whatever moves together") {
    for (const char* name : {"dgx-a100", "dgx-h100", "aws-p5en"}) {
      const Network n = rings_only(name);
      const NetworkGraph g = clos(shape_of(n, 8), {.domains_per_leaf = 8, .spines = 1});
      for (const std::int64_t domains : {2, 8}) {
        const CollectiveTime analytic =
            collective_time(CollectiveKind::all_to_all, 4.0_GiB, {domains * 8, 8, 1}, n);
        FlowCollective c = collective(n, CollectiveKind::all_to_all, 4.0_GiB, ranks(g, domains, 8));
        for (const Parts parts : {Parts::all, Parts::domain, Parts::rank}) {
          c.parts = parts;
          CHECK(flow_time(g, {c}) / (analytic.time - analytic.latency) ==
                doctest::Approx(1).epsilon(1e-7));
        }
      }
    }
  }

  // Domains inside the tree send S up and down to two children: 2 S out of the domain, S with two
  // domains, as in the analytic model; from four domains on there is one that is no root.
  TEST_CASE("alone, a tree takes the analytic tree's bandwidth term") {
    Network n = load_network("dgx-b200");
    n.sharp = false;
    const NetworkGraph g = clos(shape_of(n, 16), {.domains_per_leaf = 16, .spines = 1});
    for (const std::int64_t domains : {2, 4, 7, 16}) {
      const double out = domains == 2 ? 1.0 : 2.0;
      const Seconds expected =
          out * 16.0_GiB / (8.0 * n.network * n.tree_efficiency * n.in_job_efficiency);
      const Seconds flow = flow_time(g, {collective(n, CollectiveKind::all_reduce, 16.0_GiB,
                                                    ranks(g, domains, 8), FlowAlgorithm::tree)});
      CHECK(flow / expected == doctest::Approx(1).epsilon(1e-7));
    }
  }

  TEST_CASE("groups that share a domain, each by NICs of its own, do not slow each other") {
    const Network n = rings_only("dgx-h100");
    const NetworkGraph g =
        clos(shape_of(n, 4), {.rails = true, .domains_per_leaf = 4, .spines = 1});
    std::vector<FlowCollective> all;
    for (std::int64_t p = 0; p < 8; ++p) {
      all.push_back(collective(n, CollectiveKind::all_reduce, 1.0_GiB, ranks(g, 4, 1, p)));
    }
    const CollectiveTime analytic =
        collective_time(CollectiveKind::all_reduce, 1.0_GiB, {4, 1, 8}, n);
    CHECK(flow_time(g, all) / (analytic.time - analytic.latency) ==
          doctest::Approx(1).epsilon(1e-7));
  }

  // The NIC's wire time adds up: as long as both bytes over the NICs, whoever ends first.
  TEST_CASE("two jobs that share NICs take as long together as one after the other") {
    const Network n = rings_only("dgx-b200");
    const NetworkGraph g = clos(shape_of(n, 4), {.domains_per_leaf = 4, .spines = 1});
    const FlowCollective ring = collective(n, CollectiveKind::all_reduce, 4.0_GiB, ranks(g, 4, 8));
    const FlowCollective exchange =
        collective(n, CollectiveKind::all_to_all, 1.0_GiB, ranks(g, 4, 8));
    const Seconds both = flow_time(g, {ring, exchange});
    CHECK(both / (flow_time(g, {ring}) + flow_time(g, {exchange})) ==
          doctest::Approx(1).epsilon(1e-7));
  }

  // Every hop of a step is as long but for NVLink's, which are shorter: the slowest sets the pace,
  // and before the first chunk has come around others wait.
  TEST_CASE("step by step a ring takes what the steady one does, and a latency a step") {
    const Network n = rings_only("dgx-h100");
    const NetworkGraph g =
        clos(shape_of(n, 4), {.rails = true, .domains_per_leaf = 4, .spines = 1});
    for (const CollectiveKind kind : kRings) {
      FlowCollective c = collective(n, kind, 1.0_GiB, ranks(g, 4, 2));
      NetworkRoutes routes(g, 1);
      const Seconds steady = flow_time(g, {c});
      const Seconds steps = simulate_flows(g, step_flows(c, routes)).end;
      CHECK(steps / steady == doctest::Approx(1).epsilon(0.02));
      c.step_inside = 3.0_us;
      c.step_across = 20.0_us;
      const double more = (simulate_flows(g, step_flows(c, routes)).end - steps).base();
      CHECK(more > 3e-6);
      CHECK(more <= (kind == CollectiveKind::all_reduce ? 14 : 7) * 20e-6);
    }
  }

  // Seven messages over NVLink come before the eight over the NIC, ten times as fast.
  TEST_CASE("one peer after the other an all-to-all takes no less than all at once") {
    const Network n = rings_only("dgx-h100");
    const NetworkGraph g = clos(shape_of(n, 2), {.domains_per_leaf = 2, .spines = 1});
    const FlowCollective c = collective(n, CollectiveKind::all_to_all, 1.0_GiB, ranks(g, 2, 8));
    NetworkRoutes routes(g, 1);
    const double ratio = simulate_flows(g, step_flows(c, routes)).end / flow_time(g, {c});
    CHECK(ratio >= 1);
    CHECK(ratio < 1.15);
  }

  // Seven rings carry what eight did.
  TEST_CASE("a failed rail costs its share, and no rail at all is refused") {
    const Network n = rings_only("dgx-b200");
    NetworkGraph g = clos(shape_of(n, 4), {.rails = true, .domains_per_leaf = 4, .spines = 1});
    const FlowCollective c = collective(n, CollectiveKind::all_reduce, 4.0_GiB, ranks(g, 4, 8));
    const Seconds whole = flow_time(g, {c});
    g.fail(g.links_named("leaf-0-3"));
    CHECK(flow_time(g, {c}) / whole == doctest::Approx(8.0 / 7).epsilon(1e-7));
    for (int rail = 0; rail < 8; ++rail) g.fail(g.links_named("leaf-0-" + std::to_string(rail)));
    CHECK_THROWS_AS((void)flow_time(g, {c}), Error);
  }

  // A ring around one axis of a torus uses each link once: S (n-1)/n x 2 over one link.
  TEST_CASE("a ring along a torus' axis uses each of its links once") {
    const NetworkGraph g = torus({{8, 4}, true, 45.0_GBps, 1.0_us});
    FlowCollective c;
    c.bytes = 1.0_GB;
    for (NodeId i = 0; i < 8; ++i) c.ranks.push_back(i);
    const Seconds expected = 2.0 * 7 / 8 * 1.0_GB / 45.0_GBps;
    CHECK(flow_time(g, {c}) / expected == doctest::Approx(1).epsilon(1e-7));
  }

  TEST_CASE("a broadcast's ring is open and a message takes its way alone") {
    const Network n = rings_only("dgx-h100");
    const NetworkGraph g = clos(shape_of(n, 2), {.domains_per_leaf = 2, .spines = 1});
    for (const CollectiveKind kind : {CollectiveKind::broadcast, CollectiveKind::send_receive}) {
      const CollectiveTime analytic = collective_time(kind, 4.0_GiB, {2, 1, 1}, n);
      CHECK(flow_time(g, {collective(n, kind, 4.0_GiB, ranks(g, 2, 1))}) /
                (analytic.time - analytic.latency) ==
            doctest::Approx(1).epsilon(1e-7));
    }
  }
}

}  // namespace
}  // namespace forerun::hw
