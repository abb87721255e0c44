#include "core/chart_axis.h"

#include <doctest/doctest.h>

namespace forerun {
namespace {

TEST_SUITE("core/chart_axis") {
  TEST_CASE("ticks are round, inside and about as many as asked for") {
    CHECK(axis_ticks(0, 10, 5) == std::vector<double>{0, 2, 4, 6, 8, 10});
    CHECK(axis_ticks(1.93, 2.21, 5) == std::vector<double>{2.0, 2.1, 2.2});
    CHECK(axis_ticks(-1, 1, 4) == std::vector<double>{-1, -0.5, 0, 0.5, 1});
  }

  TEST_CASE("a logarithmic axis has its decades, or its ends where it has fewer than two") {
    CHECK((ChartAxis{true, 1, 1000}.ticks(5) == std::vector<double>{1, 10, 100, 1000}));
    CHECK((ChartAxis{true, 2, 8}.ticks(5) == std::vector<double>{2, 8}));
  }

  TEST_CASE("large numbers are short") {
    CHECK(axis_label(2e12) == "2T");
    CHECK(axis_label(1.5e6) == "1.5M");
    CHECK(axis_label(20000) == "20k");
    CHECK(axis_label(9999) == "9999");
  }

  TEST_CASE("values outside are held at the frame") {
    const ChartFrame f{10, 20, 100, 50, {false, 0, 1}, {false, 0, 1}};
    CHECK(f.across(0.5) == 60);
    CHECK(f.across(7) == 110);
    CHECK(f.up(0) == 70);
    CHECK(f.up(-3) == 70);
  }
}

}  // namespace
}  // namespace forerun
