#include "hw/gemm_surface.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>

TEST_SUITE("hw/gemm_surface") {
  using namespace forerun;
  using namespace forerun::hw;
  using namespace forerun::literals;

  // 100 cores that do 1 TFLOP/s each with one tile of 128 x 128 at full efficiency; no ramp, no
  // start.
  static GemmFit plain_fit() {
    GemmFit fit;
    fit.peak = 100.0_TFLOPps;
    fit.tiles = {{128, 128, 1.0}};
    fit.ramp = 0;
    fit.quantisation = 1;
    fit.memory_efficiency = 1;
    fit.m = fit.n = fit.k = {1, 1 << 20};
    return fit;
  }
  static GemmMachine machine(double bandwidth) {
    return {100.0_TFLOPps, Bandwidth(bandwidth), 100, 2, 2};
  }
  constexpr double kEndless = 1e30;  // bandwidth that never binds

  static double seconds(const GemmFit& fit, const GemmMachine& m, std::int64_t a, std::int64_t b,
                        std::int64_t c, std::int64_t batch = 1) {
    return GemmSurface(fit, m, true).at(a, b, c, batch).time.base();
  }

  TEST_CASE("whole waves of tiles over the cores take their operations over the rate") {
    // 1280 x 1280: 10 x 10 tiles, one wave; each 2 * 128 * 128 * 128 operations at 1 TFLOP/s.
    CHECK(seconds(plain_fit(), machine(kEndless), 1280, 1280, 128) ==
          doctest::Approx(2.0 * 128 * 128 * 128 / 1e12));
  }

  TEST_CASE("a tile more than a wave costs a whole wave where work comes in whole waves") {
    const double one = seconds(plain_fit(), machine(kEndless), 1280, 1280, 128);
    CHECK(seconds(plain_fit(), machine(kEndless), 1281, 1280, 128) == doctest::Approx(2 * one));
    GemmFit spread = plain_fit();
    spread.quantisation = 0;  // 110 tiles over 100 cores
    CHECK(seconds(spread, machine(kEndless), 1281, 1280, 128) == doctest::Approx(1.1 * one));
  }

  TEST_CASE("cores that tiles leave idle take pieces of k, at the cost of adding them up") {
    GemmFit fit = plain_fit();
    fit.split_cost = 1.0_us;
    // 2 x 5 tiles for 100 cores: 10 pieces of 512 of k.
    CHECK(seconds(fit, machine(kEndless), 256, 640, 5120) ==
          doctest::Approx(2.0 * 128 * 128 * 512 / 1e12 + 1e-6));
    // Pieces are no shorter than 256: k of 511 is not split.
    CHECK(seconds(fit, machine(kEndless), 256, 640, 511) ==
          doctest::Approx(2.0 * 128 * 128 * 511 / 1e12));
  }

  TEST_CASE("far from the ridge the slower of math and memory decides, at it 2^(1/4) of both") {
    // Math: 1280^2 x 128 takes 4.194 us. Bytes: 2 (2 * 1280 * 128 + 1280^2) = 3,932,160.
    const double math = 2.0 * 128 * 128 * 128 / 1e12, bytes = 3932160;
    CHECK(seconds(plain_fit(), machine(bytes / math * 1e3), 1280, 1280, 128) ==
          doctest::Approx(math));
    CHECK(seconds(plain_fit(), machine(bytes / math / 1e3), 1280, 1280, 128) ==
          doctest::Approx(1e3 * math));
    CHECK(seconds(plain_fit(), machine(bytes / math), 1280, 1280, 128) ==
          doctest::Approx(std::pow(2.0, 0.25) * math));
  }

  TEST_CASE("the compute share is one where math decides, zero where memory does") {
    const GemmSurface fast(plain_fit(), machine(kEndless), true);
    const GemmSurface slow(plain_fit(), machine(1e6), true);
    CHECK(fast.at(1280, 1280, 128).compute_share == doctest::Approx(1));
    CHECK(slow.at(1280, 1280, 128).compute_share == doctest::Approx(0));
  }

  TEST_CASE("the residual multiplies the time and holds outside its knots") {
    GemmFit fit = plain_fit();
    const double before = seconds(fit, machine(kEndless), 1280, 1280, 128);
    fit.residual = ResidualGrid({{{0, 9}, {0, 9}, {0, 9}}}, std::vector<double>(8, std::log(1.25)));
    CHECK(seconds(fit, machine(kEndless), 1280, 1280, 128) == doctest::Approx(1.25 * before));
  }

  TEST_CASE("a batch fills the cores as so many more tiles would") {
    CHECK(seconds(plain_fit(), machine(kEndless), 128, 128, 128, 200) ==
          doctest::Approx(2 * seconds(plain_fit(), machine(kEndless), 128, 128, 128, 100)));
  }

  TEST_CASE("the cast of an activation moves more bytes once it leaves the cache") {
    GemmFit fit = plain_fit();
    fit.cast = GemmFit::Cast{10.0_us, 4, 8, 1e6};
    const GemmSurface s(fit, machine(1e9), true);
    CHECK(s.cast(1000, 100).base() == doctest::Approx(10e-6 + 4e5 / 1e9));    // a tenth: stays
    CHECK(s.cast(1000, 10000).base() == doctest::Approx(10e-6 + 8e7 / 1e9));  // ten times: leaves
    CHECK(s.cast(1000, 1000).base() == doctest::Approx(10e-6 + 6e6 / 1e9));   // in the middle
    CHECK(GemmSurface(plain_fit(), machine(1e9), true).cast(1000, 1000).base() == 0);
  }

  TEST_CASE("more bandwidth is never slower and more k never faster") {
    CHECK(rc::check([] {
      GemmFit fit = plain_fit();
      fit.tiles = {{128, 128, 0.8}, {64, 128, 0.6}, {256, 128, 0.9}};
      fit.ramp = 100;
      fit.start = 2.0_us;
      fit.split_cost = 1.0_us;
      const auto m = *rc::gen::inRange<std::int64_t>(1, 40000);
      const auto n = *rc::gen::inRange<std::int64_t>(1, 40000);
      const auto k = *rc::gen::inRange<std::int64_t>(1, 40000);
      const double bandwidth = *rc::gen::inRange(1, 10000) * 1e9;
      const double time = seconds(fit, machine(bandwidth), m, n, k);
      RC_ASSERT(seconds(fit, machine(1.5 * bandwidth), m, n, k) <= time);
      RC_ASSERT(seconds(fit, machine(bandwidth), m + 256, n, k) >= time * (1 - 1e-12));
    }));
  }
}
