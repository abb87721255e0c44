// Bands are found by the nearest kind, and applied as ratios.

#include "sim/error_band.h"

#include <doctest/doctest.h>

#include <cmath>

namespace forerun::sim {
namespace {

ErrorBands some() {
  ErrorBands bands;
  bands.level = 0.8;
  bands.bands = {
      {false, "hopper", "nanotron", -0.1, 0.2, 30, 4}, {false, "*", "nanotron", -0.2, 0.3, 40, 5},
      {false, "hopper", "*", -0.3, 0.4, 90, 9},        {false, "*", "*", -0.5, 0.5, 200, 20},
      {true, "blackwell", "*", -0.2, 0.6, 50, 6},      {true, "*", "*", -0.3, 0.7, 70, 8}};
  return bands;
}

TEST_SUITE("sim/error_band") {
  TEST_CASE("generation with preset comes first, then preset, then generation, then all") {
    const ErrorBands bands = some();
    CHECK(bands.find(false, "hopper", "nanotron")->rows == 30);
    CHECK(bands.find(false, "ampere", "nanotron")->rows == 40);
    CHECK(bands.find(false, "hopper", "maxtext")->rows == 90);
    CHECK(bands.find(false, "ampere", "maxtext")->rows == 200);
    CHECK(ErrorBands{}.find(false, "ampere", "maxtext") == nullptr);
  }

  TEST_CASE("a model with experts takes no band of models without, however near") {
    const ErrorBands bands = some();
    CHECK(bands.find(true, "blackwell", "nanotron")->rows == 50);
    CHECK(bands.find(true, "hopper", "nanotron")->rows == 70);
    Scenario s;
    s.accelerator.generation = "hopper";
    s.framework.name = "nanotron";
    s.model.experts.emplace();
    CHECK(time_band(some(), s, 1.0_s).value().rests_on ==
          "all, experts: 8 published groups, 70 rows");
  }

  TEST_CASE("the bands in use have one of their own for models with experts on Blackwell") {
    const ErrorBands bands = load_error_bands();
    const ErrorBand* band = bands.find(true, "blackwell", "megatron-bridge");
    REQUIRE(band != nullptr);
    CHECK(band->experts);
    CHECK(band->generation == "blackwell");
  }

  TEST_CASE("a band is a ratio of times") {
    Scenario s;
    s.accelerator.generation = "hopper";
    s.framework.name = "nanotron";
    const TimeBand band = time_band(some(), s, 2.0_s).value();
    CHECK(band.low.in(1.0_s) == doctest::Approx(2 * std::exp(-0.1)));
    CHECK(band.high.in(1.0_s) == doctest::Approx(2 * std::exp(0.2)));
    CHECK(band.rests_on == "hopper with nanotron, no experts: 4 published groups, 30 rows");
  }

  TEST_CASE("a band whose ends are swapped is refused with its place") {
    Problems problems;
    const auto bands = read_error_bands(
        R"({"schema": 1, "what": "w", "level": 0.8, "bands": [{"experts": false, "generation": "*",
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
