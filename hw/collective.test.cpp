#include "hw/collective.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>

#include "core/error.h"
#include "core/file.h"
#include "tests/replaced.h"

using namespace forerun;
using namespace forerun::hw;

namespace {

constexpr CollectiveKind kKinds[] = {CollectiveKind::all_reduce,     CollectiveKind::all_gather,
                                     CollectiveKind::reduce_scatter, CollectiveKind::all_to_all,
                                     CollectiveKind::broadcast,      CollectiveKind::send_receive};

Seconds time(CollectiveKind kind, Bytes bytes, const Group& group, const Network& network) {
  return collective_time(kind, bytes, group, network).time;
}

/// A group within a domain, across domains with one rank in each, or with several.
Group any_group(CollectiveKind kind, const Network& n) {
  const std::int64_t per_domain =
      std::min(*rc::gen::element<std::int64_t>(1, 2, 3, 4, 6, 8, 11, 72), n.domain);
  if (kind == CollectiveKind::send_receive) return {2, std::min<std::int64_t>(per_domain, 2), 1};
  const std::int64_t domains = *rc::gen::element<std::int64_t>(1, 2, 3, 16, 100);
  const std::int64_t ranks = std::max<std::int64_t>(per_domain * domains, 2);
  return {ranks, per_domain, *rc::gen::element<std::int64_t>(1, n.domain / per_domain)};
}

Bytes any_bytes() { return Bytes(std::exp2(*rc::gen::inRange(0, 360) * 0.1)); }

}  // namespace

TEST_SUITE("hw/collective") {
  TEST_CASE("one rank alone, and nothing to send, take no time") {
    const Network n = load_network("dgx-h100");
    CHECK(time(CollectiveKind::all_reduce, 1.0_GiB, {1, 1, 1}, n) == 0.0_s);
    CHECK(time(CollectiveKind::all_reduce, 0.0_B, {64, 8, 1}, n) == 0.0_s);
  }

  // 8 H100, 64 MiB: the table behind the profile holds 324.5 us.
  TEST_CASE("a measured size between a measured number of ranks is the measurement") {
    const Network n = load_network("dgx-h100");
    const CollectiveTime t = collective_time(CollectiveKind::all_reduce, 64.0_MiB, {8, 8, 1}, n);
    CHECK(t.time.in(1.0_us) == doctest::Approx(324.5).epsilon(0.001));
    CHECK(t.evidence == DurationEvidence::measured);
    CHECK(t.algorithm == "table");
    CHECK(collective_time(CollectiveKind::all_reduce, 33.0_MiB, {8, 8, 1}, n).evidence ==
          DurationEvidence::interpolated);
    CHECK(collective_time(CollectiveKind::all_reduce, 64.0_GiB, {8, 8, 1}, n).evidence ==
          DurationEvidence::extrapolated);
    CHECK(collective_time(CollectiveKind::all_reduce, 33.0_MiB, {6, 6, 1}, n).evidence ==
          DurationEvidence::interpolated);
    CHECK(collective_time(CollectiveKind::all_reduce, 33.0_MiB, {16, 8, 1}, n).evidence ==
          DurationEvidence::modelled);
  }

  // stas00/ml-engineering (744d01e), network/README.md: 4 GiB over 4 nodes of 8 B200 took 22.05 ms;
  // a flat ring over all NICs 20.8 ms; hierarchical 16.1 (overlapped) to 26.3 ms (serial).
  TEST_CASE("all-reduce of 4 GiB over 4 x 8 B200 takes the published 22.05 ms to 5 %") {
    const Seconds t =
        time(CollectiveKind::all_reduce, 4.0_GiB, {32, 8, 1}, load_network("aws-p6-b200"));
    CHECK(t.in(1.0_ms) == doctest::Approx(22.05).epsilon(0.05));
  }

  // NVIDIA GTC25 S72583: all-reduce 370 GB/s and all-to-all 48 GB/s bus bandwidth on 32 H100. A NIC
  // carries an eighth of a node's all-reduce but (32 - 8)/32 of a rank's all-to-all.
  TEST_CASE("an all-to-all across nodes has an eighth of the all-reduce's bus bandwidth") {
    const Network n = load_network("dgx-h100");
    const Group g{32, 8, 1};
    const auto bus = [&](CollectiveKind kind) {
      return bus_bandwidth(kind, 8.0_GiB, 32, time(kind, 8.0_GiB, g, n)).in(1.0_GBps);
    };
    CHECK(bus(CollectiveKind::all_reduce) == doctest::Approx(370).epsilon(0.04));
    CHECK(bus(CollectiveKind::all_to_all) == doctest::Approx(48).epsilon(0.04));
  }

  // Eight tensor-parallel peers each run a ring over 16 nodes: each has the node's NICs / 8 = 50
  // GB/s x 0.965. 1 GiB of all-gather: 15/16 x 1.0737e9 / 48.25e9 = 20.86 ms and 15 steps of 19.6
  // us.
  TEST_CASE("groups that leave a node together share its NICs") {
    const Network n = load_network("dgx-h100");
    const Seconds shared = time(CollectiveKind::all_gather, 1.0_GiB, {16, 1, 8}, n);
    CHECK(shared.in(1.0_ms) == doctest::Approx(20.86 + 0.30).epsilon(0.002));
    // Alone, a rank still has but its own NIC.
    CHECK(time(CollectiveKind::all_gather, 1.0_GiB, {16, 1, 1}, n) == shared);
    // Four NICs for eight accelerators: a rank alone fills one, twice its share.
    const Network half = load_network("a100-hdr-half");
    const double ratio = time(CollectiveKind::all_gather, 8.0_GiB, {4, 1, 8}, half) /
                         time(CollectiveKind::all_gather, 8.0_GiB, {4, 1, 4}, half);
    CHECK(ratio == doctest::Approx(2.0).epsilon(0.01));
  }

  // NVIDIA GTC25 S72583 slide 12: 480 GB/s on 32 H100 with InfiniBand SHARP, where the ring has
  // 370.
  TEST_CASE("SHARP lifts a large all-reduce to what the NVLink switches do") {
    const Network n = load_network("dgx-h100-sharp");
    const CollectiveTime t = collective_time(CollectiveKind::all_reduce, 8.0_GiB, {32, 8, 1}, n);
    CHECK(t.algorithm == "sharp");
    CHECK(bus_bandwidth(CollectiveKind::all_reduce, 8.0_GiB, 32, t.time).in(1.0_GBps) ==
          doctest::Approx(480).epsilon(0.02));
  }

  // stas00/ml-engineering: a copy between two H100 runs at 376 GB/s.
  TEST_CASE("a message inside a node goes over NVLink, to another node over one NIC") {
    const Network n = load_network("dgx-h100");
    const Seconds near = time(CollectiveKind::send_receive, 1.0_GiB, {2, 2, 1}, n);
    const Seconds far = time(CollectiveKind::send_receive, 1.0_GiB, {2, 1, 8}, n);
    CHECK((1.0_GiB / near).in(1.0_GBps) == doctest::Approx(376).epsilon(0.01));
    CHECK((1.0_GiB / far).in(1.0_GBps) == doctest::Approx(0.965 * 50).epsilon(0.01));
  }

  TEST_CASE("more bytes are never faster") {
    for (const std::string& name : network_names()) {
      const Network n = load_network(name);
      CHECK(rc::check(name, [&] {
        const CollectiveKind kind = *rc::gen::elementOf(std::vector(kKinds, kKinds + 6));
        const Group g = any_group(kind, n);
        const Bytes less = any_bytes();
        const Bytes more = less * (1.0 + *rc::gen::inRange(1, 100) * 0.1);
        // Interpolation between curves mixes logarithms, so equal times may differ by rounding.
        RC_ASSERT(time(kind, more, g, n) >= time(kind, less, g, n) * (1.0 - 1e-12));
      }));
    }
  }

  TEST_CASE("more bandwidth out of the domain is never slower, less latency never either") {
    for (const std::string& name : network_names()) {
      const Network n = load_network(name);
      CHECK(rc::check(name, [&] {
        const CollectiveKind kind = *rc::gen::elementOf(std::vector(kKinds, kKinds + 6));
        const Group g = any_group(kind, n);
        const Bytes bytes = any_bytes();
        Network better = n;
        const double gain = 1.0 + *rc::gen::inRange(1, 30) * 0.1;
        better.network *= gain;
        better.nic *= gain;
        RC_ASSERT(time(kind, bytes, g, better) <= time(kind, bytes, g, n));
        better.network_latency /= gain;
        better.ring_latency /= gain;
        better.tree_latency /= gain;
        RC_ASSERT(time(kind, bytes, g, better) <= time(kind, bytes, g, n));
      }));
    }
  }

  TEST_CASE("more groups on the same NICs are never faster") {
    const Network n = load_network("dgx-h100");
    CHECK(rc::check([&] {
      const CollectiveKind kind = *rc::gen::elementOf(std::vector(kKinds, kKinds + 6));
      Group g = any_group(kind, n);
      const Bytes bytes = any_bytes();
      const Seconds before = time(kind, bytes, g, n);
      ++g.sharing;
      RC_ASSERT(time(kind, bytes, g, n) >= before);
    }));
  }

  // Fixed bytes of a rank: the gathered result and the input of a reduce-scatter grow with the
  // ranks.
  TEST_CASE("more nodes are never faster at the same bytes of each rank") {
    for (const std::string& name : network_names()) {
      const Network n = load_network(name);
      CHECK(rc::check(name, [&] {
        const CollectiveKind kind =
            *rc::gen::element(CollectiveKind::all_reduce, CollectiveKind::all_gather,
                              CollectiveKind::reduce_scatter, CollectiveKind::all_to_all);
        const std::int64_t d =
            *rc::gen::element<std::int64_t>(1, 2, std::min<std::int64_t>(8, n.domain));
        const std::int64_t fewer = *rc::gen::inRange<std::int64_t>(2, 200);
        const std::int64_t more = fewer + *rc::gen::inRange<std::int64_t>(1, 200);
        const Bytes each = any_bytes();
        const auto at = [&](std::int64_t domains) {
          const bool whole = kind == CollectiveKind::all_reduce;
          const Bytes bytes = whole ? each : each * static_cast<double>(d * domains);
          return time(kind, bytes, {d * domains, d, 1}, n);
        };
        RC_ASSERT(at(more) >= at(fewer));
      }));
    }
  }
}

TEST_SUITE("hw/network") {
  TEST_CASE("every network and scale-up profile reads, with evidence and source of every number") {
    for (const std::string& name : network_names()) {
      const Network n = load_network(name);
      CHECK(n.name == name);
      CHECK(n.evidence.size() == 21);
      for (const auto& [field, source] : n.source) CHECK_MESSAGE(!source.empty(), name, " ", field);
    }
    for (const std::string& name : scale_up_names()) {
      const ScaleUp s = load_scale_up(name);
      CHECK(s.name == name);
      for (const auto& [field, source] : s.source) CHECK_MESSAGE(!source.empty(), name, " ", field);
    }
  }

  TEST_CASE("a machine whose numbers are a known profile's is that profile") {
    const Network n = make_network("h100-sxm-80gb", 8, 8, 400.0_Gbps);
    CHECK(n.name == "dgx-h100");
    CHECK(n.evidence.at("network") == Evidence::derived);
    CHECK(n.evidence.at("tree_latency") == Evidence::fitted);
  }

  TEST_CASE("a machine with other numbers keeps its generation's constants as assumptions") {
    const Network n = make_network("a100-sxm-80gb", 8, 8, 100.0_Gbps);
    CHECK(n.name == "dgx-a100-like");
    CHECK(n.network == 100.0_Gbps);
    CHECK(n.nic == 100.0_Gbps);
    CHECK(n.evidence.at("ring_latency") == Evidence::assumed);
  }

  TEST_CASE("a machine whose network is not published has the usual one, assumed") {
    const Network n = make_network("b200-sxm", 8, 8, Bandwidth(0));
    CHECK(n.network == 400.0_Gbps);
    CHECK(n.evidence.at("network") == Evidence::assumed);
  }

  TEST_CASE("a misspelt profile is named with the nearest") {
    try {
      (void)load_network("dgx-h10");
      FAIL("it was found");
    } catch (const Error& e) {
      CHECK(std::string(e.what()) == "no network profile is named dgx-h10");
      CHECK(e.hint() == "did you mean dgx-h100?");
    }
  }

  TEST_CASE("every mistake of a network profile is reported with its path") {
    std::string text = read_file(data_path("hw/profiles/networks/dgx-h100.json"), 1 << 20);
    text = replaced(text, "\"h100\"", "\"h10\"");
    text = replaced(text, "\"sharp\"", "\"shrp\"");
    text = replaced(text, "\"19.6 us\"", "\"19.6\"");
    Problems problems;
    CHECK(!read_network(text, problems));
    const std::string all = problems.text("dgx-h100.json");
    CHECK(all.find("/scale_up_profile: no scale-up profile is named h10, did you mean h100?") !=
          std::string::npos);
    CHECK(all.find("/ring_latency/value") != std::string::npos);
    CHECK(all.find("/sharp: missing") != std::string::npos);
    CHECK(all.find("/shrp: unknown key") != std::string::npos);
  }
}
