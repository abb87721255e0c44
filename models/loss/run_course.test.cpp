#include "models/loss/run_course.h"

#include <doctest/doctest.h>

#include <cmath>

namespace forerun::models {
namespace {

CourseQuestion question() {
  CourseQuestion q;
  q.recipe = default_recipe();
  q.tokens = 45e9;
  q.batch_tokens = 1e6;
  q.stages = {{0, {0.25, 0.75}}};
  q.unique = {0, 0};
  q.annealing = {0, 0, 0, 0, 2.13, 0.598, 0.655};
  q.repetition_decay = 15.39;
  return q;
}

TEST_SUITE("models/loss/run_course") {
  TEST_CASE("steps are tokens over batches, and a ramp takes more of them") {
    CourseQuestion q = question();
    CHECK(run_course(q).steps == 45000);
    q.recipe.batch_ramp = {{0, 0.25}, {5e9, 1.0}};
    // 5B tokens in quarter batches are 20,000 steps, 40B in whole ones 40,000.
    CHECK(run_course(q).steps == 60000);
    CHECK(steps_for(q.recipe, 2.5e9, 1e6) == 10000);
  }

  TEST_CASE("on the law's own schedule progress ends at 1, on a constant rate further") {
    CourseQuestion q = question();
    const RunCourse cosine = run_course(q);
    CHECK(cosine.progress[0].back() == doctest::Approx(1.0).epsilon(1e-12));
    CHECK(cosine.reference_felt_rate == doctest::Approx(cosine.felt_rate.back()));
    q.recipe.learning_rate.shape = ScheduleShape::constant;
    // A cosine to a tenth has a mean of 0.55 of its peak.
    CHECK(run_course(q).progress[1].back() == doctest::Approx(1 / 0.55).epsilon(0.03));
  }

  TEST_CASE("the felt rate follows the rate, later") {
    CourseQuestion q = question();
    q.recipe.learning_rate.shape = ScheduleShape::warm_stable_decay;
    const RunCourse c = run_course(q);
    for (std::size_t k = 0; k < c.step.size(); ++k) {
      if (c.step[k] > 36500) CHECK(c.felt_rate[k] >= c.rate[k]);  // falls behind a falling rate
      if (c.step[k] > 2000 && c.step[k] <= 36000) CHECK(c.felt_rate[k] <= 1.0);
    }
    CHECK(c.felt_rate.front() == 0);
  }

  TEST_CASE("stages give each modality its tokens") {
    CourseQuestion q = question();
    q.stages = {{0, {0.5, 0.5}}, {30e9, {0.0, 1.0}}};
    const RunCourse c = run_course(q);
    CHECK(c.modality_tokens[0].back() == doctest::Approx(15e9));
    CHECK(c.modality_tokens[1].back() == doctest::Approx(30e9));
    CHECK(c.share_of(0) == doctest::Approx(1.0 / 3));
    CHECK(c.progress[0][c.step.size() - 10] == c.progress[0].back());  // stands still in stage two
  }

  TEST_CASE("tokens that repeat bring less, whatever the schedule's end") {
    CourseQuestion q = question();
    const RunCourse once = run_course(q);
    q.unique = {1e9, 0};  // 11.25 passes
    const RunCourse often = run_course(q);
    const auto half = [](const RunCourse& c) {
      std::size_t k = 0;
      while (c.step[k] < 22500) ++k;
      return c.progress[0][k];
    };
    // Progress is over the run's own end, so more of it is made early.
    CHECK(half(often) > half(once) + 0.02);
    CHECK(often.progress[1].back() == doctest::Approx(once.progress[1].back()));
  }

  TEST_CASE("a run of one step, or of a part of one, has a course with all its tokens") {
    for (const double tokens : {1.0, 1e3, 1e6, 2e6}) {
      CourseQuestion q = question();
      q.tokens = tokens;
      const RunCourse c = run_course(q);
      CHECK(c.step.size() > 100);
      CHECK(c.share_of(0) == doctest::Approx(0.25));
      CHECK(c.progress[1].back() == doctest::Approx(1.0));
    }
  }

  TEST_CASE("however few tokens are unique, they are where the progress is") {
    CourseQuestion q = question();
    const double steps = run_course(q).steps;
    q.unique = {1, 1e7};
    const RunCourse c = run_course(q);
    for (std::size_t i = 0; i < 2; ++i) {
      // After three times R* passes, 3 x 15.4 x 1e7 tokens, all but 5 % of their worth is had: that
      // is after 0.46B of the run's 34B (of 1 token, after the first step).
      std::size_t k = 0;
      while (c.step[k] < 0.05 * steps) ++k;
      CHECK(c.progress[i][k] > 0.95);
      CHECK(c.progress[i].back() == doctest::Approx(1.0));
    }
  }

  TEST_CASE("twice the knots change nothing that matters") {
    CourseQuestion q = question();
    const RunCourse coarse = run_course(q);
    q.knots = 1280;
    const RunCourse fine = run_course(q);
    CHECK(std::abs(coarse.felt_rate.back() - fine.felt_rate.back()) < 2e-4);
    CHECK(std::abs(coarse.progress[0].back() - fine.progress[0].back()) < 1e-9);
  }
}

}  // namespace
}  // namespace forerun::models
