#include "models/loss/critical_batch.h"

#include <doctest/doctest.h>

namespace forerun::models {
namespace {

CriticalBatchLaw kaplan() {
  const Law law = load_law("critical_batch_kaplan");
  Problems problems;
  const CriticalBatchLaw out = critical_batch_law(law, central_values(law), problems);
  REQUIRE(problems.empty());
  return out;
}

TEST_SUITE("models/loss/critical_batch") {
  // 2e8 / 3^(1 / 0.21) = 2e8 exp(-4.76190 x 1.09861) = 2e8 x 0.0053458.
  TEST_CASE("the critical batch at losses of 3, 2.5 and 2 is 1.07, 2.55 and 7.37 million tokens") {
    CHECK(kaplan() == CriticalBatchLaw{2e8, 0.21});
    CHECK(critical_batch(kaplan(), 3) == doctest::Approx(1.069e6).epsilon(5e-4));
    CHECK(critical_batch(kaplan(), 2.5) == doctest::Approx(2.547e6).epsilon(5e-4));
    CHECK(critical_batch(kaplan(), 2) == doctest::Approx(7.371e6).epsilon(5e-4));
  }

  TEST_CASE("at the critical batch both tokens and steps are twice the least") {
    CHECK(token_factor(1e6, 1e6) == 2);
    CHECK(step_factor(1e6, 1e6) == 2);
    CHECK(token_factor(1e3, 1e6) == doctest::Approx(1.001));
    CHECK(step_factor(1e3, 1e6) == doctest::Approx(1001));
  }

  // (S / S_min - 1) (D / D_min - 1) = 1 (McCandlish et al. 2018, equation 2.11).
  TEST_CASE("the two factors lie on the published hyperbola") {
    for (const double batch : {1e4, 3e5, 4e6}) {
      CHECK((token_factor(batch, 2e6) - 1) * (step_factor(batch, 2e6) - 1) == doctest::Approx(1));
    }
  }

  TEST_CASE("the learning rate of plain descent grows with the batch to its largest") {
    CHECK(simple_noise_scale(500, 2) == 250);
    CHECK(learning_rate_share(250, 250) == doctest::Approx(0.5));
    CHECK(learning_rate_share(25, 250) == doctest::Approx(25.0 / 275.0));
    CHECK(learning_rate_share(25e6, 250) == doctest::Approx(1).epsilon(1e-4));
  }
}

}  // namespace
}  // namespace forerun::models
