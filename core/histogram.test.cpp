#include "core/histogram.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

#include "core/statistics.h"
#include "tests/well_formed.h"

namespace forerun {
namespace {

TEST_SUITE("core/histogram") {
  TEST_CASE("edges are round, equally far apart and hold every value") {
    std::vector<double> values;
    for (int i = 0; i <= 100; ++i) values.push_back(10 + 0.1 * i);
    const std::vector<double> edges = histogram_edges(values);
    CHECK(edges.front() == doctest::Approx(10));
    CHECK(edges.back() > 20);
    // 2 x IQR 5 / cube root of 101 = 2.15, so 5 bars at least 6: steps of 2 hold 10.
    CHECK(edges[1] - edges[0] == doctest::Approx(2));
  }

  TEST_CASE("edges hold the middle of any values, and are not many") {
    rc::check([] {
      std::vector<double> values;
      for (const int v : *rc::gen::nonEmpty<std::vector<int>>()) values.push_back(v / 7.0);
      const std::vector<double> edges = histogram_edges(values);
      RC_ASSERT(edges.size() >= 2);
      RC_ASSERT(edges.size() <= 100);
      RC_ASSERT(std::ranges::is_sorted(edges));
      const double middle = quantile(values, 0.5), slack = 1e-6 * std::abs(middle);
      RC_ASSERT(edges.front() <= middle + slack);
      RC_ASSERT(edges.back() >= middle - slack);
    });
  }

  TEST_CASE("a value far outside is told in words and squeezes nothing") {
    std::vector<double> values;
    for (int i = 0; i < 99; ++i) values.push_back(10 + 0.01 * i);
    values.push_back(1000);
    CHECK(histogram_edges(values).back() < 14);
    CHECK(histogram_svg({values, "", "", {}}, {400, kInPage, {}}).find("1 % →") !=
          std::string::npos);
  }

  TEST_CASE("values that are all alike are one bar") {
    const std::string svg =
        histogram_svg({{5, 5, 5}, "days", "%", {{5, "P50 5", false}}}, {400, kInPage, {}});
    CHECK(testing::xml_problem(svg) == "");
    CHECK(svg.find("<rect", svg.find("<rect") + 1) == std::string::npos);
    CHECK(svg.find("P50 5") != std::string::npos);
  }

  TEST_CASE("a limit far outside stands at the edge with an arrow, a near one widens the picture") {
    const Histogram far{{1, 2, 3}, "days", "%", {{50, "deadline 50", true}}};
    CHECK(histogram_svg(far, {400, kInPage, {}}).find("deadline 50 →") != std::string::npos);
    const Histogram near{{1, 2, 3}, "days", "%", {{4, "deadline 4", true}}};
    CHECK(histogram_svg(near, {400, kInPage, {}}).find("→") == std::string::npos);
  }

  TEST_CASE("labels of marks that are close stand above each other") {
    const Histogram h{{1, 2, 3}, "", "", {{2, "P10 2.00", false}, {2.01, "P50 2.01", false}}};
    const std::string svg = histogram_svg(h, {400, kInPage, {}});
    const std::size_t first = svg.find("P10 2.00</text>"), second = svg.find("P50 2.01</text>");
    CHECK(svg.rfind("y=\"32.0\"", first) > svg.rfind("<text", first));
    CHECK(svg.rfind("y=\"48.0\"", second) > svg.rfind("<text", second));
  }
}

}  // namespace
}  // namespace forerun
