#include "hw/flow_simulation.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "core/error.h"

namespace forerun::hw {
namespace {

/// Two accelerators with one switch between: links 0 and 2 lead from a to b.
NetworkGraph pair_of(Bandwidth b) {
  NetworkGraph g;
  const NodeId a = g.add_node({"a", NodeKind::accelerator, 0, 0});
  const NodeId c = g.add_node({"b", NodeKind::accelerator, 1, 0});
  const NodeId s = g.add_node({"s", NodeKind::leaf});
  g.connect(a, s, b, {});
  g.connect(s, c, b, {});
  return g;
}

Transfer over(std::vector<LinkUse> uses, Bytes bytes, Seconds start = {}) {
  Transfer t;
  t.uses = std::move(uses);
  t.bytes = bytes;
  t.start = start;
  return t;
}

TEST_SUITE("hw/flow_simulation") {
  // 10 GB/s. Alone until 1 s: 10 GB of 20. Then half each until the second has its 5 GB at 2 s,
  // when 5 GB of the first are left: 2.5 s.
  TEST_CASE("a flow slows while another shares its link and makes up no time after") {
    const FlowRun r = simulate_flows(
        pair_of(10.0_GBps), {over({{0, 1}, {2, 1}}, 20.0_GB), over({{0, 1}}, 5.0_GB, 1.0_s)});
    CHECK(r.transfers[0].end.base() == doctest::Approx(2.5).epsilon(1e-11));
    CHECK(r.transfers[1].end.base() == doctest::Approx(2.0).epsilon(1e-11));
    CHECK(r.events == 6);
  }

  TEST_CASE("a transfer waits for arrivals, or only for the last byte of its queue") {
    Transfer first = over({{0, 1}}, 10.0_GB);
    first.latency = 0.5_s;
    Transfer next = over({{0, 1}}, 10.0_GB);
    next.behind = {0};
    Transfer reply = over({{1, 1}}, 10.0_GB);
    reply.after = {0};
    const FlowRun r = simulate_flows(pair_of(10.0_GBps), {first, next, reply});
    CHECK(r.transfers[0].sent == 1.0_s);
    CHECK(r.transfers[0].end == 1.5_s);
    CHECK(r.transfers[1].end == 2.0_s);
    CHECK(r.transfers[2].start == 1.5_s);
    CHECK(r.end == 2.5_s);
  }

  TEST_CASE("what uses no link or moves nothing takes its latency") {
    Transfer t = over({}, 1.0_GB);
    t.latency = 3.0_us;
    const FlowRun r = simulate_flows(pair_of(10.0_GBps), {t, over({{0, 1}}, {})});
    CHECK(r.transfers[0].end == 3.0_us);
    CHECK(r.transfers[1].end == 0.0_s);
  }

  TEST_CASE("a transfer of months is refused") {
    CHECK_THROWS_AS((void)simulate_flows(pair_of(Bandwidth(1)), {over({{0, 1}}, 1.0_GB)}), Error);
  }

  TEST_CASE("links carry the bytes that were asked for, in no less time than they need") {
    rc::check([] {
      const NetworkGraph g = pair_of(10.0_GBps);
      std::vector<Transfer> all;
      double bytes = 0;
      const int n = *rc::gen::inRange(1, 12);
      for (int i = 0; i < n; ++i) {
        const double size = 1e6 * *rc::gen::inRange(1, 1000);
        bytes += size;
        all.push_back(over({{0, 1}}, Bytes(size), 1e-3 * *rc::gen::inRange(0, 100) * 1.0_s));
      }
      const FlowRun r = simulate_flows(g, all);
      Seconds first = 1.0_s;
      for (std::size_t i = 0; i < all.size(); ++i) {
        RC_ASSERT((r.transfers[i].end - all[i].start).base() >= all[i].bytes.base() / 10e9 - 1e-12);
        first = std::min(first, all[i].start);
      }
      RC_ASSERT((r.end - first).base() >= bytes / 10e9 * (1 - 1e-9));
      // Never idle while there is work: no later than the last start and all bytes.
      RC_ASSERT(r.end.base() <= 0.1 + bytes / 10e9 + 1e-9);
    });
  }
}

}  // namespace
}  // namespace forerun::hw
