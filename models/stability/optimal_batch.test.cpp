#include "models/stability/optimal_batch.h"

#include <doctest/doctest.h>

#include <cmath>

namespace forerun::stability {
namespace {

TEST_SUITE("models/stability/optimal_batch") {
  TEST_CASE("the batch moves with b_ij by the slope, and the band's sign is open") {
    const Constants k = load_constants();
    const std::vector<ModalityShare> pair{{"text", 0.5, true}, {"speech", 0.5, true}};
    // slope 1 in [-2, 2], reference .3: exp(.2) in [exp(-.4), exp(.4)]
    const BatchShift shift = optimal_batch_shift(0.5, pair, k);
    CHECK(shift.factor == doctest::Approx(std::exp(0.2)));
    CHECK(shift.band.low == doctest::Approx(std::exp(-0.4)));
    CHECK(shift.band.high == doctest::Approx(std::exp(0.4)));
  }

  TEST_CASE("one modality, or b_ij at its reference, moves nothing") {
    const Constants k = load_constants();
    CHECK(optimal_batch_shift(0.5, {{"text", 1, true}}, k).factor == 1);
    CHECK(optimal_batch_shift(0.5, {{"text", 1, true}}, k).band.high == 1);
    CHECK(optimal_batch_shift(0.3, {{"a", 0.5, true}, {"b", 0.5, true}}, k).factor == 1);
  }
}

}  // namespace
}  // namespace forerun::stability
