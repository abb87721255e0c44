#include "core/svg.h"

#include <doctest/doctest.h>

#include "tests/well_formed.h"

namespace forerun {
namespace {

TEST_SUITE("core/svg") {
  TEST_CASE("alone a picture has colours and a ground, in a page the page's variables and none") {
    const std::string alone = svg_open(10, 20, kAlone) + "</svg>\n";
    CHECK(alone.find("fill=\"white\"") != std::string::npos);
    CHECK(kAlone.colour(0) == "#0072B2");
    CHECK(kAlone.colour(7) == "#0072B2");
    const std::string inside = svg_open(10, 20, kInPage, {"a", "b", "c"}) + "</svg>\n";
    CHECK(inside.find('#') == std::string::npos);
    CHECK(inside.find("<rect") == std::string::npos);
    CHECK(kInPage.colour(11) == "var(--c11)");
    CHECK(kInPage.colour(12) == "var(--c0)");
  }

  TEST_CASE("in a page it is told to those who don't see it, whatever its words are") {
    const std::string svg = svg_open(10, 20, kInPage, {"x", "a < b", "c & \x01"}) + "</svg>\n";
    CHECK(testing::xml_problem(svg) == "");
    CHECK(svg.find("aria-labelledby=\"x-title x-desc\"") != std::string::npos);
    CHECK(svg.find("<title id=\"x-title\">a &lt; b</title>") != std::string::npos);
    CHECK(svg.find("c &amp; \xEF\xBF\xBD") != std::string::npos);
    CHECK(svg_open(10, 20, kInPage).find("aria-hidden=\"true\"") != std::string::npos);
  }
}

}  // namespace
}  // namespace forerun
