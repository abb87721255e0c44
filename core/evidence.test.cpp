#include "core/evidence.h"

#include <doctest/doctest.h>

namespace forerun {

TEST_SUITE("core/evidence") {
  TEST_CASE("an answer inherits the weakest of what went into it") {
    CHECK(name(weakest(Evidence::measured, Evidence::fitted)) == "fitted");
    CHECK(name(weakest(Evidence::assumed, Evidence::published)) == "assumed");
    CHECK(name(weakest(DurationEvidence::interpolated, DurationEvidence::measured)) ==
          "interpolated");
    CHECK(name(weakest(DurationEvidence::extrapolated, DurationEvidence::modelled)) == "modelled");
  }
}

}  // namespace forerun
