#include "models/loss/fine_grained_law.h"

#include <doctest/doctest.h>

namespace forerun::models {
namespace {

FineGrainedLaw krajewski() {
  const Law law = load_law("fine_grained_krajewski");
  Problems problems;
  const FineGrainedLaw out = fine_grained_law(law, central_values(law), problems);
  REQUIRE(problems.empty());
  return out;
}

TEST_SUITE("models/loss/fine_grained_law") {
  TEST_CASE("the law's file has what table 1 of its paper prints") {
    CHECK(krajewski() == FineGrainedLaw{.47, 18.1, .115, 30.8, .147, 2.1, .58,
                                        PowerLaw{.47, 16.3, .126, 26.7, .127}});
  }

  // (2.1 + 18.1) / 1e9^0.115 = 1.8634, 30.8 / 66e9^0.147 = 0.7910, + 0.47 = 3.1244; of 64e9:
  // 2.4160. Dense: 16.3 / 1e9^0.126 = 1.1972, 26.7 / 66e9^0.127 = 1.1284, + 0.47 = 2.7956.
  TEST_CASE("counting parameters in use would make experts worse than nothing, all of them not") {
    const FineGrainedLaw law = krajewski();
    CHECK(final_loss(law, 1e9, 66e9, 1) == doctest::Approx(3.1244).epsilon(1e-4));
    CHECK(final_loss(law, 64e9, 66e9, 1) == doctest::Approx(2.4160).epsilon(1e-4));
    CHECK(final_loss(law.dense, 1e9, 66e9).loss == doctest::Approx(2.7956).epsilon(1e-4));
  }

  TEST_CASE("narrower experts save tokens, and the tokens saved make the same loss") {
    const FineGrainedLaw law = krajewski();
    const double saving = token_saving(law, 64e9, 66e9, 1, 8);
    CHECK(saving > 1);
    CHECK(final_loss(law, 64e9, 66e9 / saving, 8) ==
          doctest::Approx(final_loss(law, 64e9, 66e9, 1)));
  }
}

}  // namespace
}  // namespace forerun::models
