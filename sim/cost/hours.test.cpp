#include "sim/cost/hours.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>

TEST_SUITE("sim/cost/hours") {
  using namespace forerun;
  using namespace forerun::sim;
  using namespace forerun::literals;

  using Hours = std::array<double, hw::kHours>;

  static Hours ramp() {
    Hours h{};
    for (std::size_t i = 0; i < h.size(); ++i) h[i] = static_cast<double>(i);
    return h;
  }

  TEST_CASE("whole days are the mean of the day, from whatever hour") {
    CHECK(mean_over_hours(ramp(), 0, 3.0_days) == doctest::Approx(11.5));
    CHECK(mean_over_hours(ramp(), 17.25, 3.0_days) == doctest::Approx(11.5));
  }

  TEST_CASE("parts of hours and midnight are counted exactly") {
    // 22:30 to 01:00: half of hour 22, hour 23, hour 0: (11 + 23 + 0) / 2.5.
    CHECK(mean_over_hours(ramp(), 22.5, 2.5_h) == doctest::Approx(34.0 / 2.5));
    CHECK(mean_over_hours(ramp(), 5.25, 0.5_h) == doctest::Approx(5));
    CHECK(mean_over_hours(ramp(), 7, Seconds{}) == 7);
    CHECK(mean_over_hours(ramp(), 24, 1.0_h) == doctest::Approx(0));
  }

  TEST_CASE("what is alike all day stays what it is to the last bit") {
    Hours h{};
    h.fill(0.1);
    CHECK(mean_over_hours(h, 3.3, 17.7_days) == 0.1);
  }

  TEST_CASE("the integral is that of adding minute by minute") {
    CHECK(rc::check([] {
      Hours h{};
      for (double& v : h) v = static_cast<double>(*rc::gen::inRange(0, 1000));
      const int start = *rc::gen::inRange(0, 24 * 60), minutes = *rc::gen::inRange(1, 20'000);
      double sum = 0;
      for (int m = 0; m < minutes; ++m) sum += h[static_cast<std::size_t>((start + m) / 60 % 24)];
      const double exact = mean_over_hours(h, start / 60.0, Seconds(60.0 * minutes));
      RC_ASSERT(std::abs(exact - sum / minutes) < 1e-7);
    }));
  }
}
