#include "hw/error_summary.h"

#include <doctest/doctest.h>

namespace forerun::hw {

TEST_SUITE("hw/error_summary") {
  // 1 to 20 per cent, half of them negative: median (10 + 11) / 2, mean 210 / 20, the 95th
  // percentile is the 19th of 20.
  TEST_CASE("errors count by their size, whatever their sign") {
    std::vector<double> errors;
    for (int i = 20; i > 0; --i) errors.push_back((i % 2 == 0 ? 0.01 : -0.01) * i);
    const ErrorSummary s = summary(errors);
    CHECK(s.count == 20);
    CHECK(s.median == doctest::Approx(0.105));
    CHECK(s.mean == doctest::Approx(0.105));
    CHECK(s.p95 == doctest::Approx(0.19));
  }

  TEST_CASE("one error is median, mean and percentile, and none is zero") {
    CHECK(summary({-0.3}).median == 0.3);
    CHECK(summary({-0.3}).p95 == 0.3);
    CHECK(summary({}).count == 0);
    CHECK(summary({}).p95 == 0);
  }
}

}  // namespace forerun::hw
