#include "sim/link_classes.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "hw/max_min.h"

namespace forerun::sim {
namespace {

constexpr std::size_t kPatterns = 6;

/// Random loads of six patterns on random links, many of them alike.
struct Case {
  hw::NetworkGraph graph;
  std::vector<std::vector<hw::LinkUse>> uses;
  std::vector<double> rates;
};

Case random_case(std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  Case c;
  const int nodes = 4 + pick(20);
  for (int i = 0; i < nodes; ++i) {
    c.graph.add_node({fmt::format("leaf-{}", i), hw::NodeKind::leaf, -1, -1});
  }
  for (int i = 0; i + 1 < nodes; ++i) {
    c.graph.connect(i, i + 1, Bandwidth(1e9 * (1 + pick(3))), Seconds(0));
  }
  c.uses.resize(kPatterns);
  for (std::vector<hw::LinkUse>& of_pattern : c.uses) {
    for (std::size_t l = 0; l < c.graph.links().size(); ++l) {
      if (pick(3) == 0) of_pattern.push_back({static_cast<std::int32_t>(l), 0.25 * (1 + pick(4))});
    }
    c.rates.push_back(1e9 * (1 + pick(8)) / 2);
  }
  return c;
}

/// Shares of flows that load `uses` of links of `capacity`, none faster than its own rate.
std::vector<double> shares(std::vector<double> capacity,
                           const std::vector<std::vector<hw::LinkUse>>& uses,
                           const std::vector<double>& own) {
  std::vector<std::vector<hw::LinkUse>> all = uses;
  for (std::size_t i = 0; i < own.size(); ++i) {
    all[i].push_back({static_cast<std::int32_t>(capacity.size()), 1});
    capacity.push_back(own[i]);
  }
  hw::MaxMin solver(std::move(capacity));
  std::vector<hw::MaxMin::Flow> flows;
  for (const auto& u : all) flows.push_back(solver.add(u));
  solver.solve();
  std::vector<double> rates;
  for (const hw::MaxMin::Flow f : flows) rates.push_back(solver.rate(f));
  return rates;
}

}  // namespace

TEST_SUITE("sim/link_classes") {
  TEST_CASE("links that are left out change no share") {
    std::size_t before = 0, after = 0;
    for (std::uint32_t seed = 0; seed < 500; ++seed) {
      const Case c = random_case(seed);
      LinkClasses classes(c.graph);
      SharedLinks links;
      std::vector<std::vector<hw::LinkUse>> full, reduced;
      std::vector<double> own, capacity;
      for (std::size_t p = 0; p < kPatterns; ++p) {
        LinkPattern pattern;
        pattern.uses = c.uses[p];
        pattern.network_busiest = 1;  // nothing at the ends: no load is scaled
        const std::size_t index = classes.add(pattern);
        classes.count(index, static_cast<std::int64_t>(p), 0);
        links.flows.push_back(classes.flow(index, Bandwidth(c.rates[p]), 0));
        full.push_back(c.uses[p]);
        own.push_back(c.rates[p]);
      }
      classes.finish(links);
      for (const hw::NetworkLink& l : c.graph.links()) capacity.push_back(l.bandwidth.base());
      for (const SharedFlow& f : links.flows) {
        reduced.push_back(links.patterns[static_cast<std::size_t>(f.pattern)]);
      }
      before += capacity.size();
      after += links.capacity.size();
      const std::vector<double> a = shares(capacity, full, own);
      const std::vector<double> b = shares(links.capacity, reduced, own);
      for (std::size_t p = 0; p < kPatterns; ++p) {
        CHECK_MESSAGE(b[p] == doctest::Approx(a[p]).epsilon(1e-8), seed, " ", p);
      }
    }
    CHECK(after < before / 2);
  }

  TEST_CASE("a pattern faster than the wires at its ends allow loads them less") {
    hw::NetworkGraph g;
    g.add_node({"accelerator-0-0", hw::NodeKind::accelerator, 0, 0});
    g.add_node({"nvlink-0", hw::NodeKind::scale_up_switch, 0, -1});
    g.connect(0, 1, Bandwidth(100), Seconds(0));
    LinkClasses classes(g);
    LinkPattern p;
    p.uses = {{0, 2.0}};
    p.network_busiest = 0;
    p.scale_up_busiest = 2;
    p.scale_up_seconds = 2.0 / 100;
    const std::size_t index = classes.add(p);
    // 80 bytes a second would be 160 on a wire of 100: it counts as 100.
    const SharedFlow f = classes.flow(index, Bandwidth(80), 0);
    classes.count(index, 0, 0);
    classes.count(index, 1, 0);
    SharedLinks links;
    links.flows.push_back(f);
    classes.finish(links);
    REQUIRE(links.capacity.size() == 1);
    CHECK(links.patterns[0][0].share * f.rate == doctest::Approx(100));
  }
}

}  // namespace forerun::sim
