#include "core/statistics.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

namespace forerun {
namespace {

TEST_SUITE("core/statistics") {
  TEST_CASE("a quantile lies between order statistics in proportion") {
    // Sorted 1 2 4 8: p = 0.25 is position 0.75, 1 + 0.75 x (2 - 1).
    const std::array values = {4.0, 1.0, 8.0, 2.0};
    CHECK(quantile(values, 0.25) == doctest::Approx(1.75));
    CHECK(quantile(values, 0.0) == 1.0);
    CHECK(quantile(values, 1.0) == 8.0);
    CHECK(median(values) == doctest::Approx(3.0));
    CHECK(mean(values) == doctest::Approx(3.75));
  }

  TEST_CASE("Spearman's correlation sees order only and shares ranks among equals") {
    const std::array x = {1.0, 2.0, 3.0, 4.0};
    CHECK(spearman(x, std::array{1.0, 10.0, 100.0, 1000.0}) == doctest::Approx(1.0));
    CHECK(spearman(x, std::array{9.0, 7.0, 5.0, 3.0}) == doctest::Approx(-1.0));
    // Ranks of y: 1.5 1.5 3 4; deviations -1 -1 0.5 1.5 against -1.5 -0.5 0.5 1.5: product sum
    // 4.5, squares 4.5 and 5.
    CHECK(spearman(x, std::array{2.0, 2.0, 3.0, 5.0}) ==
          doctest::Approx(4.5 / std::sqrt(4.5 * 5.0)));
    CHECK(spearman(x, std::array{1.0, 1.0, 1.0, 1.0}) == 0.0);
  }

  TEST_CASE("a bootstrap interval holds the mean, narrows with the sample and repeats itself") {
    std::vector<double> few, many;
    for (int i = 0; i < 10; ++i) few.push_back(i % 2);
    for (int i = 0; i < 1000; ++i) many.push_back(i % 2);
    const Stream stream(1, "test");
    const Interval a = bootstrap_mean(few, 0.9, stream);
    const Interval b = bootstrap_mean(many, 0.9, stream);
    CHECK(a.low < 0.5);
    CHECK(a.high > 0.5);
    // The mean of 1000 fair bits has deviation 0.5 / sqrt(1000) = 0.0158: 90 % within 1.645 of it.
    CHECK(b.high - b.low == doctest::Approx(2 * 1.645 * 0.0158).epsilon(0.1));
    const Interval again = bootstrap_mean(few, 0.9, stream);
    CHECK(again.low == a.low);
    CHECK(again.high == a.high);
  }
}

}  // namespace
}  // namespace forerun
