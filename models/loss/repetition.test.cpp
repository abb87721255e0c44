#include "models/loss/repetition.h"

#include <doctest/doctest.h>

#include <cmath>

namespace forerun::models {
namespace {

RepetitionLaw muennighoff() {
  const Law law = load_law("repetition_muennighoff");
  Problems problems;
  const RepetitionLaw out = repetition_law(law, central_values(law), problems);
  REQUIRE(problems.empty());
  return out;
}

TEST_SUITE("models/loss/repetition") {
  TEST_CASE("the law's file has the logarithms that its repository prints") {
    const RepetitionLaw law = muennighoff();
    CHECK(std::log(law.power.a) == doctest::Approx(6.255414).epsilon(1e-7));
    CHECK(std::log(law.power.b) == doctest::Approx(7.3049974).epsilon(1e-7));
    CHECK(std::log(law.power.floor) == doctest::Approx(0.6254804).epsilon(1e-7));
    CHECK(law.power.alpha == 0.3526596);
    CHECK(law.power.beta == 0.3526596);
    CHECK(law.tokens == 15.387756);
    CHECK(law.parameters == 5.309743);
  }

  // By the law with R* = 15.387756: 1 + R* (1 - exp(-3 / R*)) = 3.7257; 15 repeats; 39 repeats.
  TEST_CASE("tokens seen 4, 16 and 40 times are worth 3.73, 10.6 and 15.2 times as many new ones") {
    const double decay = muennighoff().tokens;
    CHECK(effective_tokens(4e9, 1e9, decay) == doctest::Approx(3.7257e9).epsilon(1e-5));
    CHECK(effective_tokens(16e9, 1e9, decay) == doctest::Approx(10.5825e9).epsilon(1e-5));
    CHECK(effective_tokens(40e9, 1e9, decay) == doctest::Approx(15.1675e9).epsilon(1e-5));
    CHECK(effective_tokens(1e15, 1e9, decay) == doctest::Approx(16.387756e9));
  }

  TEST_CASE("tokens that do not repeat are worth themselves") {
    CHECK(effective_tokens(0.5e9, 1e9, 15) == 0.5e9);
    CHECK(effective_tokens(1e9, 1e9, 15) == 1e9);
    CHECK(marginal_worth(0.5e9, 1e9, 15) == 1);
  }

  TEST_CASE("the marginal worth is the slope of the effective tokens") {
    for (const double passes : {1.5, 4.0, 16.0, 60.0}) {
      const double d = passes * 1e9, h = 1e3;
      const double slope =
          (effective_tokens(d + h, 1e9, 15.4) - effective_tokens(d - h, 1e9, 15.4)) / (2 * h);
      CHECK(marginal_worth(d, 1e9, 15.4) == doctest::Approx(slope).epsilon(1e-5));
    }
    // After R* repeats a token is worth 1 / e.
    CHECK(marginal_worth(16.4e9, 1e9, 15.4) == doctest::Approx(std::exp(-1.0)));
  }

  TEST_CASE("the tokens that make so many effective ones make them, and beyond R* there are none") {
    const auto tokens = tokens_for(10e9, 1e9, 15.4);
    REQUIRE(tokens);
    CHECK(effective_tokens(*tokens, 1e9, 15.4) == doctest::Approx(10e9));
    CHECK(tokens_for(0.3e9, 1e9, 15.4) == 0.3e9);
    CHECK_FALSE(tokens_for(16.5e9, 1e9, 15.4));
  }

  // Equation 17 of the paper prints U_N / U_D = 0.051.
  TEST_CASE("the parameters for which unique tokens are optimal are 0.051 of them") {
    const PowerLaw power = muennighoff().power;
    const double parameters = optimal_parameters(power, 100e9);
    CHECK(parameters == doctest::Approx(0.051 * 100e9).epsilon(1e-3));
    const ComputeOptimum best = compute_optimum(power, 6 * parameters * 100e9);
    CHECK(best.parameters == doctest::Approx(parameters));
  }

  TEST_CASE("repeated data cost, and parameters beyond the optimum bring less") {
    const RepetitionLaw law = muennighoff();
    const double fresh = final_loss(law, 1e9, 100e9, 100e9).loss;
    const double repeated = final_loss(law, 1e9, 100e9, 10e9).loss;
    CHECK(repeated > fresh);
    CHECK(effective_parameters(law, 1e9, 100e9, 100e9) == 1e9);
    // U_N of 10e9 is 0.51e9: R_N = 0.9613, 1 + 5.31 (1 - exp(-0.18104)) = 1.8793.
    CHECK(effective_parameters(law, 1e9, 100e9, 10e9) == doctest::Approx(0.9582e9).epsilon(1e-3));
  }

  TEST_CASE("a file without its decay is refused by that name") {
    const Law law = load_law("repetition_muennighoff");
    ConstantValues values = central_values(law);
    values.erase("R_star_D");
    Problems problems;
    (void)repetition_law(law, values, problems);
    REQUIRE(problems.list().size() == 1);
    CHECK(problems.list()[0].what.find("constant R_star_D is not known") == 0);
  }
}

}  // namespace
}  // namespace forerun::models
