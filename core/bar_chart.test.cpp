#include "core/bar_chart.h"

#include <doctest/doctest.h>

#include "tests/well_formed.h"

namespace forerun {
namespace {

TEST_SUITE("core/bar_chart") {
  TEST_CASE("bars share one scale, which the longest whisker fills") {
    // 404 - 4 pixels for 200: 2 each.
    const std::string svg = bar_chart_svg(
        {{"a", "100", 100, 50, 200, 0}, {"b & c", "10 %", 10, 10, 10, 1}}, {404, kInPage, {}});
    CHECK(testing::xml_problem(svg) == "");
    CHECK(svg.find("width=\"200.0\" height=\"15\" fill=\"var(--c0)\"") != std::string::npos);
    CHECK(svg.find("width=\"20.0\" height=\"15\" fill=\"var(--c1)\"") != std::string::npos);
    CHECK(svg.find("M101.0 26.5H401.0") != std::string::npos);
    CHECK(svg.find("b &amp; c") != std::string::npos);
  }

  TEST_CASE("parts fill the bar in proportion, and parts of nothing are not there") {
    const std::string svg = stacked_bar_svg(
        {{"a", "75 %", 3, 0}, {"none", "0 %", 0, 1}, {"b", "25 %", 1, 2}}, {400, kInPage, {}});
    CHECK(testing::xml_problem(svg) == "");
    CHECK(svg.find("x=\"0.00\" y=\"0\" width=\"299.00\"") != std::string::npos);
    CHECK(svg.find("x=\"300.00\" y=\"0\" width=\"99.00\"") != std::string::npos);
    CHECK(svg.find("none") == std::string::npos);
  }
}

}  // namespace
}  // namespace forerun
