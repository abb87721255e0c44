#include "sim/run/young_daly.h"

#include <doctest/doctest.h>

#include <cmath>

TEST_SUITE("sim/young_daly") {
  using namespace forerun;
  using namespace forerun::sim;
  using namespace forerun::literals;
  using doctest::Approx;

  TEST_CASE("Young's and Daly's intervals") {
    CHECK(young_interval(50.0_s, 1.0_h) == 600.0_s);
    // x = sqrt(50 / 7200) = 1/12: 600 (1 + 1/36 + 1/1296) - 50.
    CHECK(daly_interval(50.0_s, 1.0_h).base() == Approx(600 * (1 + 1 / 36.0 + 1 / 1296.0) - 50));
    CHECK(daly_interval(3.0_h, 1.0_h) == 1.0_h);
  }

  TEST_CASE("Daly's interval minimises Daly's duration to a thousandth") {
    const auto at = [](double interval) {
      return daly_duration(1.0_days, Seconds(interval), 50.0_s, 300.0_s, 1.0_h).base();
    };
    const double best = daly_interval(50.0_s, 1.0_h).base();
    double least = at(best);
    for (double i = 100; i < 3000; i *= 1.01) least = std::min(least, at(i));
    CHECK(at(best) < 1.001 * least);
  }

  TEST_CASE("the first-order ratio meets the exact one where failures are rare") {
    const Seconds interval = 1.0_h, blocked = 60.0_s, mean = 100.0_h;
    const double exact = 1.0_days / daly_duration(1.0_days, interval, blocked, 300.0_s, mean);
    CHECK(first_order_goodput(interval, blocked, 300.0_s, mean) == Approx(exact).epsilon(0.001));
    CHECK(first_order_goodput(interval, blocked, 10.0_h, 1.0_h) == 0);
  }
}
