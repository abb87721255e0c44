#include "hw/power.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>

TEST_SUITE("hw/power") {
  using namespace forerun;
  using namespace forerun::hw;
  using namespace forerun::literals;

  static PowerModel model() {
    PowerModel m;
    m.idle = 100.0_W;
    m.cap = 700.0_W;
    m.per_flop = Joules(1e-12);
    m.per_byte = Joules(50e-12);
    m.least_clock = 0.5;
    return m;
  }

  TEST_CASE("under the cap the clock stays at the burst clock") {
    // 500 TFLOP/s at 1 pJ: 500 W and 100 W idle.
    CHECK(sustained_clock(model(), {Flops(500e12), Bytes(0), 1.0_s, Seconds(0)}) == 1);
  }

  TEST_CASE("over the cap the clock falls with the cube root of the power to be shed") {
    // 1000 TFLOP/s in compute-bound time: P = 100 + 1000 c^3 <= 700, so c = 0.6^(1/3) = 0.8434.
    const PowerWindow w{Flops(1000e12), Bytes(0), 1.0_s, Seconds(0)};
    const double clock = sustained_clock(model(), w);
    CHECK(clock == doctest::Approx(0.84343).epsilon(1e-4));
    CHECK(mean_power(model(), w, clock).base() == doctest::Approx(700).epsilon(1e-6));
  }

  TEST_CASE("exposed communication gives clock back") {
    const PowerWindow busy{Flops(1000e12), Bytes(0), 1.0_s, Seconds(0)};
    PowerWindow waits = busy;
    waits.other = 0.5_s;
    CHECK(sustained_clock(model(), waits) > sustained_clock(model(), busy));
    waits.other = 1.0_s;  // 1000 J over 2 s: 600 W in all
    CHECK(sustained_clock(model(), waits) == 1);
  }

  TEST_CASE("no clock is lower than the least one") {
    CHECK(sustained_clock(model(), {Flops(1e17), Bytes(0), 1.0_s, Seconds(0)}) == 0.5);
  }

  TEST_CASE("the largest of n normal variates grows as tables of order statistics say") {
    CHECK(expected_maximum(1) == 0);
    CHECK(expected_maximum(2) == doctest::Approx(0.5642).epsilon(0.05));
    CHECK(expected_maximum(8) == doctest::Approx(1.4236).epsilon(0.01));
    CHECK(expected_maximum(1000) == doctest::Approx(3.2414).epsilon(0.01));
  }

  TEST_CASE("chips that differ slow a job under the cap and not below it") {
    const PowerModel worst = hungriest(model(), 0.01, 1000);
    // 1 % in speed is 3 % in energy: 1 pJ (1 + 3 x 0.01 x 3.24) = 1.097 pJ.
    CHECK(worst.per_flop.base() == doctest::Approx(1.0972e-12).epsilon(1e-3));
    const PowerWindow over{Flops(1000e12), Bytes(0), 1.0_s, Seconds(0)};
    CHECK(sustained_clock(worst, over) ==
          doctest::Approx(sustained_clock(model(), over) * std::cbrt(1 / 1.0972)).epsilon(1e-3));
    const PowerWindow below{Flops(500e12), Bytes(0), 1.0_s, Seconds(0)};
    CHECK(sustained_clock(worst, below) == 1);
  }

  TEST_CASE("an empty window draws idle power") {
    CHECK(mean_power(model(), {}, 1).base() == 100);
    CHECK(sustained_clock(model(), {}) == 1);
  }

  TEST_CASE("more work in the same time never raises the clock") {
    CHECK(rc::check([] {
      const PowerWindow w{
          Flops(*rc::gen::inRange(0, 3000) * 1e12), Bytes(*rc::gen::inRange(0, 8000) * 1e9),
          Seconds(*rc::gen::inRange(1, 100) * 0.01), Seconds(*rc::gen::inRange(0, 100) * 0.01)};
      PowerWindow more = w;
      more.flops = more.flops * 1.1 + Flops(1e12);
      RC_ASSERT(sustained_clock(model(), more) <= sustained_clock(model(), w));
    }));
  }
}
