#include "core/gantt.h"

#include <doctest/doctest.h>

#include "tests/well_formed.h"

namespace forerun {
namespace {

TEST_SUITE("core/gantt") {
  TEST_CASE("a span that can be seen is drawn where it is") {
    // Name of one letter: 17 pixels to the left, 14 to the right, so 369 for 10.
    const GanttChart c{"seconds", 0, 10, 7, {{"a", {{2, 4, 1}}, {}}}};
    const std::string svg = gantt_svg(c, {400, kInPage, {}});
    CHECK(testing::xml_problem(svg) == "");
    CHECK(svg.find("<path d=\"M90.8 4h73.8v15h-73.8z\" fill=\"var(--c1)\"/>") != std::string::npos);
    CHECK(svg.find("fill=\"var(--c7)\"") != std::string::npos);
  }

  TEST_CASE("spans too short to be seen share columns by their time") {
    GanttChart c{"seconds", 0, 1, 7, {{"a", {}, {}}}};
    for (int i = 0; i < 100000; ++i) {
      const double at = i / 100000.0;
      c.rows[0].spans.push_back({at, at + 0.3e-5, 0});
      c.rows[0].spans.push_back({at + 0.3e-5, at + 1e-5, 1});
    }
    const std::string svg = gantt_svg(c, {400, kInPage, {}});
    // All columns look alike, so one rectangle each: 0.3 and 0.7 of the row's 15 pixels.
    CHECK(svg.find("v4.5h-369z\" fill=\"var(--c0)\"") != std::string::npos);
    CHECK(svg.find("v10.5h-369z\" fill=\"var(--c1)\"") != std::string::npos);
    CHECK(svg.size() < 3000);
  }

  TEST_CASE("what is outside the window is not drawn") {
    const GanttChart c{"seconds", 5, 6, 7, {{"a", {{0, 4, 1}, {7, 9, 2}}, {{0, 10, 3}}}}};
    const std::string svg = gantt_svg(c, {400, kInPage, {}});
    CHECK(svg.find("var(--c1)") == std::string::npos);
    CHECK(svg.find("var(--c2)") == std::string::npos);
    CHECK(svg.find("h369v4h-369z\" fill=\"var(--c3)\"") != std::string::npos);
  }
}

}  // namespace
}  // namespace forerun
