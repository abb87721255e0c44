#include "core/line_chart.h"

#include <doctest/doctest.h>

#include <string>

namespace forerun {
namespace {

TEST_SUITE("core/line_chart") {
  TEST_CASE("ticks are round, inside and about as many as asked for") {
    CHECK(axis_ticks(0, 10, 5) == std::vector<double>{0, 2, 4, 6, 8, 10});
    CHECK(axis_ticks(1.93, 2.21, 5) == std::vector<double>{2.0, 2.1, 2.2});
    CHECK(axis_ticks(-1, 1, 4) == std::vector<double>{-1, -0.5, 0, 0.5, 1});
  }

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
}

}  // namespace
}  // namespace forerun
