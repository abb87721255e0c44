#include "core/line_chart.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/well_formed.h"

namespace forerun {
namespace {

TEST_SUITE("core/line_chart") {
  TEST_CASE("a curve from corner to corner is drawn from corner to corner, on both scales") {
    ChartPanel p;
    p.title = "a < b & c";
    p.curves.push_back({"line", {1, 10, 100}, {1, 10, 100}, {}, {}, false, 0});
    p.least_y = 1;
    p.most_y = 100;
    const std::string linear = line_chart_svg({p});
    CHECK(linear.find("points=\"80.0,304.0 138.2,280.4 720.0,44.0 \"") != std::string::npos);
    CHECK(linear.find("a &lt; b &amp; c") != std::string::npos);
    p.log_x = p.log_y = true;
    const std::string log = line_chart_svg({p});
    CHECK(log.find("points=\"80.0,304.0 400.0,174.0 720.0,44.0 \"") != std::string::npos);
  }

  TEST_CASE(
      "a band is a closed shape of its two edges, and what a log axis can't show is left out") {
    ChartPanel p;
    p.log_y = true;
    p.curves.push_back({"x", {0, 1, 2}, {0, 10, 1}, {0, 5, 1}, {0, 20, 2}, true, 1});
    const std::string svg = line_chart_svg({p, p});
    CHECK(svg.find("<polygon") != std::string::npos);
    CHECK(svg.find("nan") == std::string::npos);
    CHECK(svg.find("inf") == std::string::npos);
    CHECK(svg.find("stroke-dasharray") != std::string::npos);
  }

  TEST_CASE("in a page it has the page's colours, no title and no legend of its own") {
    ChartPanel p;
    p.title = "a title";
    p.x_label = "x < y";
    p.curves.push_back({"a curve", {0, 1}, {0, 1}, {0, 0}, {1, 2}, false, 8});
    const std::string svg = line_chart_in_page(p, 400, 300, {"id", "told", "so"});
    CHECK(testing::xml_problem(svg) == "");
    CHECK(svg.find("viewBox=\"0 0 400 300\"") != std::string::npos);
    CHECK(svg.find("var(--c8)") != std::string::npos);
    CHECK(svg.find('#') == std::string::npos);
    CHECK(svg.find("a title") == std::string::npos);
    CHECK(svg.find("a curve") == std::string::npos);
    CHECK(svg.find("x &lt; y") != std::string::npos);
  }
}

}  // namespace
}  // namespace forerun
