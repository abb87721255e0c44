#include "core/scatter_plot.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace forerun {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

ScatterPlot plot(std::vector<ScatterPoint> points) {
  ScatterPlot p;
  p.title = "a < b";
  p.what = "loss";
  p.show = [](double v) { return fmt::format("{:.3g}", v); };
  p.families = {{"one", "note", std::move(points), false}, {"none", "", {}, false}};
  return p;
}

TEST_SUITE("core/scatter_plot") {
  TEST_CASE("each point is a mark, one more in the legend; what is not above zero has none") {
    CHECK(count(scatter_svg(plot({{2, 2.1}, {3, 2.9}})), "<circle") == 3);
    const std::string svg = scatter_svg(plot({{2, 2.1}, {0, 2}, {2, 0}, {-1, 2}}));
    CHECK(count(svg, "<circle") == 2);
    CHECK(count(svg, "nan") + count(svg, "inf") == 0);
  }

  TEST_CASE("one value, no point at all and names with signs of XML make a picture") {
    for (const std::string& svg : {scatter_svg(plot({{2, 2}})), scatter_svg(plot({}))}) {
      CHECK(count(svg, "a &lt; b") == 1);
      CHECK(count(svg, "nan") + count(svg, "inf") == 0);
      CHECK(svg.ends_with("</svg>\n"));
    }
  }

  TEST_CASE("a family without points is not in the legend") {
    const std::string svg = scatter_svg(plot({{2, 2}}));
    CHECK(count(svg, ">one<") == 1);
    CHECK(count(svg, ">none<") == 0);
  }
}

}  // namespace
}  // namespace forerun
