#include "hw/expert_exchange.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>

namespace forerun::hw {

TEST_SUITE("hw/expert_exchange") {
  // All choices of 3 of 8 experts in 4 pairs, one by one: C(8,3) = 56 choices. By the formula:
  // 4 (1 - C(6,3) / C(8,3)) = 4 (1 - 20/56) = 2.5714.
  TEST_CASE("the expected number of ranks that a token reaches is that of all choices counted") {
    double reached = 0, choices = 0;
    for (std::uint32_t set = 0; set < 256; ++set) {
      if (std::popcount(set) != 3) continue;
      choices += 1;
      for (int rank = 0; rank < 4; ++rank) reached += (set >> (2 * rank) & 3u) != 0 ? 1 : 0;
    }
    CHECK(choices == 56);
    CHECK(parts_reached(8, 3, 4) == doctest::Approx(reached / choices));
    CHECK(parts_reached(8, 3, 4) == doctest::Approx(4.0 * (1 - 20.0 / 56)));
  }

  TEST_CASE("as many choices as experts reach every rank, and one choice reaches one") {
    CHECK(parts_reached(64, 64, 8) == doctest::Approx(8));
    CHECK(parts_reached(64, 1, 8) == doctest::Approx(1));
  }

  // Inside one domain every copy of an all-to-all travels; the fused exchange sends a token once to
  // a rank: 8 of 64 experts on 8 ranks reach 8 (1 - C(56,8)/C(64,8)) = 5.43 of them.
  TEST_CASE("a fused exchange sends fewer copies than an all-to-all") {
    const Network n = load_network("dgx-h100");
    const Group g{8, 8, 1};
    ExpertExchange x;
    x.tokens = 8192;
    x.token = Bytes(2 * 4096);
    x.copies = 8;
    x.experts = 64;
    const Seconds plain = expert_exchange_time(x, g, n).time;
    x.kind = ExpertExchangeKind::fused;
    const Seconds fused = expert_exchange_time(x, g, n).time;
    CHECK(fused / plain == doctest::Approx(parts_reached(64, 8, 8) / 8).epsilon(0.05));
  }

  // Four domains: eight copies to 64 ranks cross the network 8 x 48/64 = 6 times as a plain
  // all-to-all, and 3/4 of 3.7 reached domains when fused.
  TEST_CASE("across domains a fused exchange sends each token once to a domain") {
    const Network n = load_network("dgx-h100");
    const Group g{32, 8, 1};
    ExpertExchange x;
    x.tokens = 8192;
    x.token = Bytes(2 * 7168);
    x.copies = 8;
    x.experts = 256;
    const Seconds plain = expert_exchange_time(x, g, n).time;
    x.kind = ExpertExchangeKind::fused;
    const Seconds fused = expert_exchange_time(x, g, n).time;
    CHECK(fused < 0.6 * plain);
    x.domain_limit = 2;
    CHECK(expert_exchange_time(x, g, n).time < fused);
  }

  // deepseek-ai/DeepEP, README, H800 and 8 x 400 Gb/s: 4,096 tokens of 7,168 values, 8 bit
  // dispatched, 8 of 256 experts; bandwidth is of what the slower of NVLink and network carries:
  // 153 GB/s of NVLink on 8 ranks, 51 GB/s of network on 64, where a token reaches 4 nodes at most.
  TEST_CASE("a fused dispatch on H800 runs at the bandwidths that DeepEP states") {
    const Network n = load_network("h800-ib");
    ExpertExchange x;
    x.kind = ExpertExchangeKind::fused;
    x.tokens = 4096;
    x.token = Bytes(7168);
    x.copies = 8;
    x.experts = 256;
    const Seconds inside = expert_exchange_time(x, {8, 8, 1}, n).time;
    const Bytes nvlink = x.tokens * parts_reached(256, 8, 8) * x.token;
    CHECK(nvlink / inside / 1.0_GBps == doctest::Approx(153).epsilon(0.12));
    x.domain_limit = 4;
    const Seconds across = expert_exchange_time(x, {64, 8, 1}, n).time;
    CHECK(4096.0 * 4 * x.token / across / 1.0_GBps == doctest::Approx(51).epsilon(0.12));
  }

  TEST_CASE("the most loaded rank sets the time of an all-to-all, not of an all-gather") {
    const Network n = load_network("dgx-h100");
    const Group g{8, 8, 1};
    ExpertExchange x;
    x.tokens = 65536;
    x.token = Bytes(2 * 4096);
    x.copies = 2;
    x.experts = 8;
    const Seconds even = expert_exchange_time(x, g, n).time;
    x.imbalance = 1.5;
    CHECK(expert_exchange_time(x, g, n).time / even == doctest::Approx(1.5).epsilon(0.05));
    x.kind = ExpertExchangeKind::all_gather;
    const Seconds gathered = expert_exchange_time(x, g, n).time;
    x.imbalance = 1;
    CHECK(expert_exchange_time(x, g, n).time == gathered);
  }
}

}  // namespace forerun::hw
