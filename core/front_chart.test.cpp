#include "core/front_chart.h"

#include <doctest/doctest.h>

#include "tests/well_formed.h"

namespace forerun {
namespace {

TEST_SUITE("core/front_chart") {
  TEST_CASE("what another beats in one and not in the other is off the front, ties are on it") {
    std::vector<FrontPoint> points;
    for (const auto& [x, y] :
         {std::pair{1.0, 5.0}, {2.0, 3.0}, {2.0, 4.0}, {3.0, 3.0}, {4.0, 1.0}, {4.0, 1.0}}) {
      points.push_back({x, y, "", "", false, false});
    }
    CHECK(front_of(points) == std::vector<bool>{true, true, false, false, true, true});
  }

  TEST_CASE("the picture has every point, the front as stairs and the chosen one marked") {
    FrontChart c{"USD",
                 "days",
                 false,
                 false,
                 {{1, 2, "a", "a < b", true, false},
                  {2, 1, "b", "", true, true},
                  {2, 2, "", "beaten", false, false}}};
    const std::string svg = front_chart_svg(c, {400, kInPage, {}});
    CHECK(testing::xml_problem(svg) == "");
    CHECK(svg.find("a &lt; b") != std::string::npos);
    CHECK(svg.find("beaten") != std::string::npos);
    CHECK(svg.find("r=\"9\"") != std::string::npos);
    CHECK(svg.find(">b</text>") != std::string::npos);
  }

  TEST_CASE("one point alone is a picture, too") {
    CHECK(testing::xml_problem(front_chart_svg(
              {"x", "y", false, false, {{1, 1, "a", "", true, true}}}, {400, kInPage, {}})) == "");
  }
}

}  // namespace
}  // namespace forerun
