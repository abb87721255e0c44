#include "core/column_chart.h"

#include <doctest/doctest.h>

#include "tests/well_formed.h"

namespace forerun {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST_SUITE("core/column_chart") {
  TEST_CASE("the limit is inside the picture, also where every column is below it") {
    ColumnChart c{"stage", "GiB", {0, 1}, {{"0", "told < it", {1, 2}, 100}}};
    const std::string svg = column_chart_svg(c, {400, kInPage, {}});
    CHECK(testing::xml_problem(svg) == "");
    CHECK(svg.find("told &lt; it") != std::string::npos);
    // 104 at the top (28), 0 at the bottom (218): 100 is at 218 - 190 / 1.04.
    CHECK(svg.find("M40.0 35.3h352.0") != std::string::npos);
  }

  TEST_CASE("of many columns only those are named that have room") {
    ColumnChart c{"stage", "GiB", {0}, {}};
    for (int i = 0; i < 200; ++i) c.columns.push_back({std::to_string(i), "", {1.0}, 0});
    const std::string svg = column_chart_svg(c, {400, kInPage, {}});
    CHECK(count(svg, "<rect") == 200);
    CHECK(count(svg, "text-anchor=\"middle\"") < 20);
    CHECK(svg.find("stroke-dasharray") == std::string::npos);
  }
}

}  // namespace
}  // namespace forerun
