#include "models/loss/sparsity_law.h"

#include <doctest/doctest.h>

namespace forerun::models {
namespace {

SparsityLaw abnar() {
  const Law law = load_law("sparsity_abnar");
  Problems problems;
  const SparsityLaw out = sparsity_law(law, central_values(law), problems);
  REQUIRE(problems.empty());
  return out;
}

TEST_SUITE("models/loss/sparsity_law") {
  TEST_CASE("the law's file has what table 3 of its paper prints") {
    CHECK(abnar() ==
          SparsityLaw{16612.5, .5962, 5455.67, .3954, .4598, -.1666, 17.26, .1603, .1595, .94});
  }

  // Dense, 1e9 and 1e11: 16612.5 / 1e9^0.5962 = 0.07160, 5455.67 / 1e11^0.3954 = 0.24393, 0.4598,
  // 17.26 / 1e9^0.1595 = 0.63325, 0.94: 2.3486.
  TEST_CASE("a dense model is sparsity 0") {
    CHECK(final_loss(abnar(), 1e9, 1e11, 0) == doctest::Approx(2.3486).epsilon(1e-4));
  }

  TEST_CASE("of equal total parameters idle ones cost, but little while they are few") {
    const SparsityLaw law = abnar();
    const double dense = final_loss(law, 1e10, 1e11, 0);
    CHECK(final_loss(law, 1e10, 1e11, 0.5) - dense < 0.01);
    CHECK(final_loss(law, 1e10, 1e11, 0.98) - dense > 0.1);
  }
}

}  // namespace
}  // namespace forerun::models
