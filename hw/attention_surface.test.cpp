#include "hw/attention_surface.h"

#include <doctest/doctest.h>

#include <cmath>

TEST_SUITE("hw/attention_surface") {
  using namespace forerun;
  using namespace forerun::hw;
  using namespace forerun::literals;

  static AttentionFit plain_fit() {
    AttentionPassFit pass;
    pass.query_tile = 128;
    pass.efficiency = {{64, 0.5}, {256, 0.75}};
    pass.quantisation = 0;
    AttentionFit fit;
    fit.peak = 100.0_TFLOPps;
    fit.passes[Pass::forward] = fit.passes[Pass::backward] = pass;
    fit.least_keys = 512;
    fit.most_keys = 16384;
    return fit;
  }
  const AttentionMachine kMachine{100.0_TFLOPps, Bandwidth(1e30), 100};

  static Attention full(std::int64_t length, std::int64_t head_dim) {
    Attention a{.batch = 10,
                .queries = length,
                .keys = length,
                .heads = 10,
                .kv_heads = 10,
                .head_dim = head_dim};
    a.causal = false;
    return a;
  }

  TEST_CASE("with the cores full the rate is the efficiency times the peak") {
    const AttentionSurface s(plain_fit(), kMachine, true);
    CHECK(flops(full(4096, 64)) / s.at(full(4096, 64)).time / 1.0_TFLOPps == doctest::Approx(50));
    // Half way between 64 and 256 in the logarithm.
    CHECK(flops(full(4096, 128)) / s.at(full(4096, 128)).time / 1.0_TFLOPps ==
          doctest::Approx(62.5));
    // Beyond the known sizes the nearest one holds.
    CHECK(flops(full(4096, 512)) / s.at(full(4096, 512)).time / 1.0_TFLOPps == doctest::Approx(75));
  }

  TEST_CASE("a backward pass at the same efficiency takes two and a half times as long") {
    const AttentionSurface s(plain_fit(), kMachine, true);
    Attention back = full(2048, 64);
    back.pass = Pass::backward;
    CHECK(s.at(back).time / s.at(full(2048, 64)).time == doctest::Approx(2.5));
  }

  TEST_CASE("a causal mask wastes half a tile of masked keys a query and its share of the rate") {
    AttentionFit fit = plain_fit();
    fit.passes[Pass::forward].causal = 0.9;
    const AttentionSurface s(fit, kMachine, true);
    Attention causal = full(4096, 64);
    causal.causal = true;
    // Keys a query: (4096 + 1) / 2 on average and 64 masked ones, against 4096.
    CHECK(s.at(causal).time / s.at(full(4096, 64)).time ==
          doctest::Approx((2048.5 + 64) / 4096 / 0.9));
  }

  TEST_CASE("one tile that sees every key is the least that a causal pass takes") {
    const AttentionSurface s(plain_fit(), kMachine, true);
    Attention one{
        .batch = 1, .queries = 128, .keys = 128, .heads = 1, .kv_heads = 1, .head_dim = 64};
    CHECK(s.at(one).time.base() == doctest::Approx(4.0 * 128 * 64 * 128 / (0.5 * 1e12)));
  }

  TEST_CASE("memory traffic bounds short sequences") {
    const AttentionMachine slow{100.0_TFLOPps, Bandwidth(1e6), 100};
    const AttentionSurface s(plain_fit(), slow, true);
    const AttentionTime t = s.at(full(128, 64));
    CHECK(t.time.base() == doctest::Approx(traffic(full(128, 64)).base() / 1e6));
    CHECK(t.compute_share == doctest::Approx(0).epsilon(1e-6));
  }

  TEST_CASE("the residual of the nearest head size holds beyond the measured lengths") {
    AttentionFit fit = plain_fit();
    fit.passes[Pass::forward].residual[64] =
        ResidualGrid({{{9, 14}, {0, 12}, {0, 6}}}, std::vector<double>(8, std::log(1.5)));
    const AttentionSurface with(fit, kMachine, true), without(plain_fit(), kMachine, true);
    const Attention longer = full(262144, 64);
    CHECK(with.at(longer).time / without.at(longer).time == doctest::Approx(1.5));
    CHECK_FALSE(with.at(longer).inside);
    CHECK(with.at(full(2048, 64)).inside);
  }

  TEST_CASE("the cache write is interpolated in the logarithm of the width") {
    AttentionFit fit = plain_fit();
    fit.cache_start = 2.0_us;
    fit.cache_write = {{6, 1e-9}, {8, 4e-9}};
    const AttentionSurface s(fit, kMachine, true);
    CHECK(s.cache_write(1000, 2, 64).base() == doctest::Approx(2e-6 + 2e-6));
    CHECK(AttentionSurface(plain_fit(), kMachine, true).cache_write(1000, 2, 64).base() == 0);
  }
}
