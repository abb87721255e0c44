#include "models/stability/stability_case.h"

#include <doctest/doctest.h>

#include "models/stability/example_runs.h"

namespace forerun::stability {
namespace {

TEST_SUITE("models/stability/stability_case") {
  TEST_CASE(
      "one modality does not compete, two in equal shares do so fully, read-only ones do not") {
    CHECK(competition({}) == 0);
    CHECK(competition({{"text", 1, true}}) == 0);
    CHECK(competition({{"text", 0.5, true}, {"image", 0.5, true}}) == doctest::Approx(1));
    // 2 (1 - .81 - .01) = .36
    CHECK(competition({{"text", 0.9, true}, {"image", 0.1, true}}) == doctest::Approx(0.36));
    CHECK(competition({{"text", 0.5, true}, {"image", 0.5, false}}) == 0);
  }

  TEST_CASE("pairs' alpha is weighted by both shares; without a pair there is none") {
    const std::vector<ModalityShare> three{
        {"text", 0.5, true}, {"image", 0.3, true}, {"speech", 0.2, true}};
    // (.15 x .2 + .10 x .4) / .25 = .28
    CHECK(*mean_alpha(three, {{"text", "image", 0.2}, {"text", "speech", 0.4}}) ==
          doctest::Approx(0.28));
    CHECK_FALSE(mean_alpha(three, {}));
    CHECK_FALSE(mean_alpha(three, {{"text", "code", 0.2}}));
  }

  TEST_CASE("a course sums the learning rate: a cosine to 0 sums to half of peak times steps") {
    StabilityCase c = testing::chameleon(true);
    c.steps = 100000;
    c.recipe.learning_rate.warm_up_steps = 0;
    c.recipe.learning_rate.final_share = 0;
    const Course along = course(c);
    CHECK(along.points.back().rate_sum == doctest::Approx(1e-4 * 100000 / 2).epsilon(1e-5));
    CHECK(along.peak == doctest::Approx(1e-4));
    CHECK(along.points.front().step == 0);
    CHECK(along.points.back().step == 100000);
  }

  TEST_CASE("wrong cases are refused with path, value and rule; a peak rate is never assumed") {
    StabilityCase c = testing::chameleon(true);
    c.recipe.learning_rate.peak.reset();
    c.modalities[0].share = 0.6;
    c.steps = 0;
    c.alpha = -1;
    Problems problems;
    check(c, problems);
    CHECK(problems.text("case") ==
          "case: /steps: expected at least 1, found 0\n"
          "case: /recipe/learning_rate/peak: missing: stability depends on the learning rate, and "
          "none is assumed\n"
          "case: /modalities: shares must sum to 1, found 1.1\n"
          "case: /alpha: expected above 0, at most 5, found -1\n");
  }

  TEST_CASE("MoT has attention of each modality's own, dense and MoE models have not") {
    CHECK(has_own_attention(models::load_architecture("mot-chameleon-7b")));
    CHECK_FALSE(has_own_attention(models::load_architecture("mot-chameleon-7b-dense")));
    CHECK_FALSE(has_own_attention(models::load_architecture("mot-chameleon-7b-moe4x")));
  }
}

}  // namespace
}  // namespace forerun::stability
