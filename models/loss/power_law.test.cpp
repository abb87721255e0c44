#include "models/loss/power_law.h"

#include <doctest/doctest.h>

namespace forerun::models {
namespace {

PowerLaw epoch() {
  const Law law = load_law("chinchilla_epoch");
  Problems problems;
  const PowerLaw out = power_law(law, central_values(law), "", problems);
  REQUIRE(problems.empty());
  return out;
}

TEST_SUITE("models/loss/power_law") {
  TEST_CASE("the refit gives the losses that its authors' constants give") {
    // 1.8172 + 482.01 / 70e9^0.3478 + 2085.43 / 1.4e12^0.3658 = 1.8172 + 0.0818 + 0.0749, the size
    // and tokens of Chinchilla; 1e9 and 2e10: 2.5301.
    CHECK(final_loss(epoch(), 70e9, 1.4e12).loss == doctest::Approx(1.9739).epsilon(1e-4));
    CHECK(final_loss(epoch(), 1e9, 20e9).loss == doctest::Approx(2.5301).epsilon(1e-4));
  }

  TEST_CASE("the first publication's own constants are the unrounded ones, and give its losses") {
    const Law law = load_law("chinchilla_hoffmann");
    Problems problems;
    const PowerLaw first = power_law(law, central_values(law), "", problems);
    CHECK(first ==
          PowerLaw{1.6933736809989528, 406.4010175194737, .33917084, 410.7228269450398, .2849083});
    CHECK(final_loss(first, 70e9, 1.4e12).loss == doctest::Approx(1.9208).epsilon(5e-5));
    CHECK(final_loss(first, 1e9, 20e9).loss == doctest::Approx(2.5307).epsilon(5e-5));
  }

  TEST_CASE("the loss is the floor and the two terms, and falls with either") {
    const PowerLaw law = epoch();
    const FinalLoss at = final_loss(law, 1e9, 20e9);
    CHECK(at.loss == doctest::Approx(law.floor + at.by_parameters + at.by_tokens));
    CHECK(final_loss(law, 2e9, 20e9).loss < at.loss);
    CHECK(final_loss(law, 1e9, 40e9).loss < at.loss);
  }

  TEST_CASE("the compute optimum uses its FLOPs up and no neighbour with the same is better") {
    const PowerLaw law = epoch();
    const ComputeOptimum best = compute_optimum(law, 5.76e23);
    CHECK(6 * best.parameters * best.tokens == doctest::Approx(5.76e23));
    for (const double factor : {0.97, 1.03}) {
      CHECK(final_loss(law, best.parameters * factor, best.tokens / factor).loss > best.loss);
    }
  }

  TEST_CASE("a constant that the law lacks is a problem of that name") {
    const Law law = load_law("chinchilla_epoch");
    ConstantValues values = central_values(law);
    values.erase("beta");
    Problems problems;
    (void)power_law(law, values, "", problems);
    REQUIRE(problems.list().size() == 1);
    CHECK(problems.list()[0].what.find("constant beta is not known") == 0);
  }
}

}  // namespace
}  // namespace forerun::models
