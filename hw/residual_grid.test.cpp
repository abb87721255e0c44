#include "hw/residual_grid.h"

#include <doctest/doctest.h>

TEST_SUITE("hw/residual_grid") {
  using namespace forerun;
  using namespace forerun::hw;

  // v = x + 10 y + 100 z at the knots: a trilinear grid reproduces a linear function.
  static ResidualGrid linear() {
    std::vector<double> values;
    for (const double x : {0.0, 1.0, 3.0}) {
      for (const double y : {0.0, 2.0}) {
        for (const double z : {-1.0, 1.0}) values.push_back(x + 10 * y + 100 * z);
      }
    }
    return {{{{0, 1, 3}, {0, 2}, {-1, 1}}}, values};
  }

  TEST_CASE("between knots the grid is linear along each axis") {
    CHECK(linear().at(2, 0.5, 0.25) == doctest::Approx(2 + 5 + 25));
    CHECK(linear().at(0.5, 1, -1) == doctest::Approx(0.5 + 10 - 100));
  }

  TEST_CASE("outside its knots the grid holds its boundary value") {
    CHECK(linear().at(-5, 1, 0) == doctest::Approx(0 + 10 + 0));
    CHECK(linear().at(99, 99, 99) == doctest::Approx(3 + 20 + 100));
  }

  TEST_CASE("the corners of a point weigh to one and sum to its value") {
    const ResidualGrid g = linear();
    const ResidualGrid::Corners c = g.corners(1.7, 0.3, 0.9);
    double weight = 0, value = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      weight += c.weight[i];
      value += c.weight[i] * g.values()[c.index[i]];
    }
    CHECK(weight == doctest::Approx(1));
    CHECK(value == doctest::Approx(g.at(1.7, 0.3, 0.9)));
  }

  TEST_CASE("an empty grid corrects nothing") { CHECK(ResidualGrid().at(1, 2, 3) == 0); }

  TEST_CASE("knots that do not ascend and missing values are reported with their place") {
    Problems problems;
    const auto document = JsonDocument::parse(
        R"({"g": {"a": [0, 0], "b": [0, 1], "c": [0, 1], "thousandths": [1, 2, 3]}})", problems);
    Reader top = document.root(problems);
    CHECK(read_residual_grid(top.object("g"), {"a", "b", "c"}).empty());
    REQUIRE(problems.list().size() == 2);
    CHECK(problems.list()[0].where == "/g/thousandths");
    CHECK(problems.list()[0].what == "expected 8 values, one for each knot, found 3");
    CHECK(problems.list()[1].where == "/g/a");
  }
}
