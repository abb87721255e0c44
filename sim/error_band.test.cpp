// Bands are found by the nearest kind, and applied as ratios.

#include "sim/error_band.h"

#include <doctest/doctest.h>

#include <cmath>

namespace forerun::sim {
namespace {

ErrorBands some() {
  ErrorBands bands;
  bands.level = 0.8;
  bands.bands = {{"hopper", "nanotron", -0.1, 0.2, 30, 4},
                 {"*", "nanotron", -0.2, 0.3, 40, 5},
                 {"hopper", "*", -0.3, 0.4, 90, 9},
                 {"*", "*", -0.5, 0.5, 200, 20}};
  return bands;
}

TEST_SUITE("sim/error_band") {
  TEST_CASE("generation with preset comes first, then preset, then generation, then all") {
    const ErrorBands bands = some();
    CHECK(bands.find("hopper", "nanotron")->rows == 30);
    CHECK(bands.find("ampere", "nanotron")->rows == 40);
    CHECK(bands.find("hopper", "maxtext")->rows == 90);
    CHECK(bands.find("ampere", "maxtext")->rows == 200);
    CHECK(ErrorBands{}.find("ampere", "maxtext") == nullptr);
  }

  TEST_CASE("a band is a ratio of times") {
    Scenario s;
    s.accelerator.generation = "hopper";
    s.framework.name = "nanotron";
    const TimeBand band = time_band(some(), s, 2.0_s).value();
    CHECK(band.low.in(1.0_s) == doctest::Approx(2 * std::exp(-0.1)));
    CHECK(band.high.in(1.0_s) == doctest::Approx(2 * std::exp(0.2)));
    CHECK(band.rests_on == "hopper with nanotron: 4 published groups, 30 rows");
  }

  TEST_CASE("a band whose ends are swapped is refused with its place") {
    Problems problems;
    const auto bands = read_error_bands(
        R"({"schema": 1, "what": "w", "level": 0.8, "bands": [{"generation": "*",
            "framework": "*", "low": 0.2, "high": 0.1, "rows": 3, "groups": 3}]})",
        problems);
    CHECK_FALSE(bands.has_value());
    REQUIRE(problems.list().size() == 1);
    CHECK(problems.list()[0].where == "/bands/0/high");
    CHECK(problems.list()[0].what == "0.1 is less than low, 0.2");
  }
}

}  // namespace
}  // namespace forerun::sim
