#include "models/stability/attention_logits.h"

#include <doctest/doctest.h>

#include <cmath>

#include "models/stability/example_runs.h"

namespace forerun::stability {
namespace {

double at_end(const StabilityCase& c, const Constants& k) {
  const Course along = course(c);
  return largest_logit(c, along, along.points.back(), k);
}

TEST_SUITE("models/stability/attention_logits") {
  TEST_CASE("the critical rate falls with size and rises with QK-norm, as published") {
    const Constants k = load_constants();
    // Rybakov et al. 2024: 830M diverges at 8e-3, with QK-norm at 60e-3.
    CHECK(critical_rate(8.3e8, false, k) == doctest::Approx(8e-3).epsilon(0.1));
    CHECK(critical_rate(8.3e8, true, k) == doctest::Approx(60e-3).epsilon(0.1));
    // Wortsman et al. 2023: 4.8B diverges at 1e-2; the grid's next lower rate is 3e-3.
    CHECK(critical_rate(4.8e9, false, k) < 1e-2);
    CHECK(critical_rate(4.8e9, false, k) > 3e-3);
  }

  TEST_CASE("at the critical rate one modality's logit ends at 1e4, and nearly all runs are lost") {
    const Constants k = load_constants();
    StabilityCase c = testing::of_text_only(testing::chameleon(false));
    c.recipe.learning_rate.peak = critical_rate(c.parameters, false, k);
    CHECK(at_end(c, k) == doctest::Approx(1e4).epsilon(0.01));
    const Course along = course(c);
    // Two deviations above the median threshold.
    CHECK(lost_to_logits(c, along, along.points.back(), k) > 0.97);
    CHECK(lost_to_rate(c, along, k) == doctest::Approx(0.5));
  }

  TEST_CASE("logits grow along the run, with the rate and with size") {
    const Constants k = load_constants();
    const StabilityCase c = testing::chameleon(false);
    const Course along = course(c);
    double before = 0;
    for (const CoursePoint& p : along.points) {
      const double z = largest_logit(c, along, p, k);
      CHECK(z >= before);
      before = z;
    }
    StabilityCase faster = c, larger = c;
    faster.recipe.learning_rate.peak = 2e-4;
    larger.parameters = 34e9;
    CHECK(at_end(faster, k) > at_end(c, k));
    CHECK(at_end(larger, k) > at_end(c, k));
  }

  TEST_CASE("QK-norm bounds every logit by the root of the head's width times the gains") {
    const Constants k = load_constants();
    // sqrt(128) 2^2 = 45.25
    CHECK(normed_logit_bound(128, 2) == doctest::Approx(45.25).epsilon(1e-3));
    StabilityCase c = testing::chameleon(true);
    c.recipe.learning_rate.peak = 0.3;
    CHECK(at_end(c, k) == doctest::Approx(normed_logit_bound(128, k.qk_norm_gain.value)));
  }

  TEST_CASE("competition raises logits only between generated modalities that share attention") {
    const Constants k = load_constants();
    const StabilityCase both = testing::chameleon(false);
    StabilityCase read = both;
    read.modalities[1].generated = false;
    const StabilityCase alone = testing::of_text_only(both);
    CHECK(at_end(read, k) == doctest::Approx(at_end(alone, k)));
    CHECK(at_end(both, k) > 100 * at_end(alone, k));
    StabilityCase apart = both;
    apart.architecture = models::load_architecture("mot-chameleon-7b");
    apart.architecture.qk_norm = false;
    CHECK(at_end(apart, k) < at_end(both, k) / 10);
    CHECK(at_end(apart, k) > at_end(alone, k));
  }
}

}  // namespace
}  // namespace forerun::stability
