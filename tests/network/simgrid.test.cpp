// Max-min shares beside SimGrid's (model CM02), on 1,000 random graphs. Every case is a network
// zone of its own: its links, and for each flow two hosts with a route over the links that ours
// take. After one second each flow has moved its rate.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <simgrid/s4u.hpp>
#include <string>
#include <vector>

#include "core/random.h"
#include "hw/max_min.h"
#include "hw/network_routes.h"

namespace forerun::hw {
namespace {

namespace sg = simgrid::s4u;

constexpr int kCases = 1000;
// Far more than a flow moves in a second, and small enough that the difference is exact to 1e-9.
constexpr double kBytes = 1e6;

struct Case {
  NetworkGraph graph;
  std::vector<std::vector<LinkId>> ways;
  std::vector<double> shares;
};

/// Switches in a random connected graph, two to twelve, accelerators at each, links of 1 to 1000
/// bytes a second; 2 to 20 flows routed as hw/network_routes.h does.
Case make_case(int number) {
  const Stream random(20240229, "simgrid/" + std::to_string(number));
  std::uint64_t draw = 0;
  const auto below = [&](std::uint64_t n) { return static_cast<int>(random.below(draw++, n)); };
  const auto bandwidth = [&] { return Bandwidth(1 + below(1000)); };
  Case c;
  std::vector<NodeId> switches, hosts;
  const int count = 2 + below(11);
  for (int i = 0; i < count; ++i) {
    switches.push_back(c.graph.add_node({"leaf-" + std::to_string(i), NodeKind::leaf}));
    if (i > 0)
      c.graph.connect(switches[static_cast<std::size_t>(below(static_cast<std::uint64_t>(i)))],
                      switches.back(), bandwidth(), {});
  }
  std::set<std::pair<int, int>> extra;
  for (int i = below(12); i > 0; --i) {
    const int a = below(static_cast<std::uint64_t>(count)),
              b = below(static_cast<std::uint64_t>(count));
    if (a != b && extra.insert({std::min(a, b), std::max(a, b)}).second) {
      c.graph.connect(switches[static_cast<std::size_t>(a)], switches[static_cast<std::size_t>(b)],
                      bandwidth(), {});
    }
  }
  for (int i = 0; i < count; ++i) {
    const std::string at = std::to_string(i);
    hosts.push_back(c.graph.add_node({"accelerator-" + at, NodeKind::accelerator, i, 0}));
    const NodeId nic = c.graph.add_node({"nic-" + at, NodeKind::nic});
    c.graph.connect(hosts.back(), nic, bandwidth(), {});
    c.graph.connect(nic, switches[static_cast<std::size_t>(i)], bandwidth(), {});
  }
  NetworkRoutes routes(c.graph, static_cast<std::uint64_t>(number));
  std::vector<double> capacity;
  for (const NetworkLink& l : c.graph.links()) capacity.push_back(l.bandwidth.base());
  MaxMin solver(capacity);
  std::vector<MaxMin::Flow> ids;
  for (int f = 2 + below(19); f > 0; --f) {
    const int a = below(static_cast<std::uint64_t>(count));
    const int b = (a + 1 + below(static_cast<std::uint64_t>(count - 1))) % count;
    std::vector<LinkId>& way = c.ways.emplace_back();
    routes.append(hosts[static_cast<std::size_t>(a)], hosts[static_cast<std::size_t>(b)],
                  static_cast<std::uint64_t>(f), way);
    std::vector<LinkUse> uses;
    for (const LinkId l : way) uses.push_back({l, 1});
    ids.push_back(solver.add(uses));
  }
  (void)solver.solve();
  for (const MaxMin::Flow id : ids) c.shares.push_back(solver.rate(id));
  return c;
}

struct Pair {
  sg::Host *from, *to;
};

std::vector<Pair> build(sg::NetZone* root, const Case& c, int number) {
  const std::string prefix = "case-" + std::to_string(number) + "-";
  sg::NetZone* zone = sg::create_full_zone(prefix + "zone")->set_parent(root);
  std::vector<const sg::Link*> links;
  for (std::size_t i = 0; i < c.graph.links().size(); ++i) {
    links.push_back(
        zone->create_link(prefix + "link-" + std::to_string(i), c.graph.links()[i].bandwidth.base())
            ->set_latency(0)
            ->seal());
  }
  std::vector<Pair> pairs;
  for (std::size_t f = 0; f < c.ways.size(); ++f) {
    const std::string flow = prefix + "flow-" + std::to_string(f);
    Pair p{zone->create_host(flow + "-from", 1e9)->seal(),
           zone->create_host(flow + "-to", 1e9)->seal()};
    std::vector<sg::LinkInRoute> route;
    for (const LinkId l : c.ways[f]) route.emplace_back(links[static_cast<std::size_t>(l)]);
    zone->add_route(p.from->get_netpoint(), p.to->get_netpoint(), nullptr, nullptr, route, false);
    pairs.push_back(p);
  }
  zone->seal();
  return pairs;
}

TEST_SUITE("tests/simgrid") {
  TEST_CASE("shares on 1,000 random graphs and flow sets are SimGrid's to 1e-6") {
    std::vector<std::string> words = {"simgrid_test",
                                      "--log=root.thresh:error",
                                      "--cfg=network/model:CM02",
                                      "--cfg=network/latency-factor:1",
                                      "--cfg=network/bandwidth-factor:1",
                                      "--cfg=network/weight-S:0",
                                      "--cfg=network/crosstraffic:0",
                                      "--cfg=maxmin/precision:1e-12"};
    std::vector<char*> arguments;
    for (std::string& w : words) arguments.push_back(w.data());
    int count = static_cast<int>(arguments.size());
    sg::Engine engine(&count, arguments.data());
    sg::NetZone* root = sg::create_full_zone("root");
    std::vector<Case> cases;
    std::vector<std::vector<Pair>> pairs;
    for (int i = 0; i < kCases; ++i) {
      cases.push_back(make_case(i));
      pairs.push_back(build(root, cases.back(), i));
    }
    sg::Host* observer = root->create_host("observer", 1e9)->seal();
    root->seal();
    double worst = 0;
    std::size_t flows = 0;
    sg::Actor::create("observer", observer, [&] {
      std::vector<std::vector<sg::CommPtr>> running;
      for (const auto& of_case : pairs) {
        running.emplace_back();
        for (const Pair& p : of_case)
          running.back().push_back(
              sg::Comm::sendto_async(p.from, p.to, static_cast<std::uint64_t>(kBytes)));
      }
      sg::this_actor::sleep_for(1.0);
      for (std::size_t i = 0; i < running.size(); ++i) {
        for (std::size_t f = 0; f < running[i].size(); ++f) {
          const double share = kBytes - running[i][f]->get_remaining();
          worst = std::max(worst, std::abs(share / cases[i].shares[f] - 1));
          ++flows;
        }
      }
      for (const auto& of_case : running) {
        for (const sg::CommPtr& comm : of_case) comm->cancel();
      }
    });
    engine.run();
    CHECK(flows > 10 * kCases);
    MESSAGE(flows << " flows, largest difference " << worst);
    CHECK(worst < 1e-6);
  }
}

}  // namespace
}  // namespace forerun::hw
