#include "models/loss/chinchilla.h"

#include <doctest/doctest.h>

#include "core/error.h"

namespace forerun::models {
namespace {

TEST_SUITE("models/loss/chinchilla") {
  TEST_CASE("the refit gives the losses that its authors' constants give") {
    // 1.8172 + 482.01 / 70e9^0.3478 + 2085.43 / 1.4e12^0.3658 = 1.8172 + 0.0818 + 0.0749, the size
    // and tokens of Chinchilla; 1e9 and 2e10: 2.5301.
    const ChinchillaLaw law = load_chinchilla("chinchilla_epoch");
    CHECK(final_loss(law, 70e9, 1.4e12).loss == doctest::Approx(1.9739).epsilon(1e-4));
    CHECK(final_loss(law, 1e9, 20e9).loss == doctest::Approx(2.5301).epsilon(1e-4));
    CHECK(law.weakest_evidence() == Evidence::published);
  }

  TEST_CASE("a run larger than the fit saw is said to be outside") {
    const ChinchillaLaw law = load_chinchilla("chinchilla_epoch");
    CHECK(final_loss(law, 1e9, 20e9).inside);
    CHECK_FALSE(final_loss(law, 405e9, 20e9).inside);
    CHECK_FALSE(final_loss(law, 1e9, 15e12).inside);
  }

  TEST_CASE("the loss is the floor and the two terms, and falls with either") {
    const ChinchillaLaw law = load_chinchilla("chinchilla_epoch");
    const FinalLoss at = final_loss(law, 1e9, 20e9);
    CHECK(at.loss == doctest::Approx(law.floor + at.by_parameters + at.by_tokens));
    CHECK(final_loss(law, 2e9, 20e9).loss < at.loss);
    CHECK(final_loss(law, 1e9, 40e9).loss < at.loss);
  }

  TEST_CASE("a law that is not there is refused with the nearest name") {
    CHECK_THROWS_WITH_AS((void)load_chinchilla("chinchila_epoch"),
                         "there is no loss law \"chinchila_epoch\"", Error);
  }

  TEST_CASE("a wrong law is refused with path and rule") {
    Problems problems;
    CHECK_FALSE(read_chinchilla(R"({"schema": 1, "name": "x", "what": "", "constants": {},
      "domain": {"parameters": [2, 1], "tokens": [1, 2], "source": ""}})",
                                problems));
    CHECK(problems.text("law").find(
              "/domain/parameters: must be two rising numbers, least and most") !=
          std::string::npos);
    CHECK(problems.text("law").find("/constants/E: missing") != std::string::npos);
  }
}

}  // namespace
}  // namespace forerun::models
