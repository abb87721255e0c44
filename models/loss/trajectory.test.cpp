#include "models/loss/trajectory.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace forerun::models {
namespace {

constexpr double kNoise = 0.04;

CourseQuestion question(double tokens = 45e9) {
  CourseQuestion q;
  q.recipe = default_recipe();
  q.tokens = tokens;
  q.batch_tokens = 1e6;
  q.stages = {{0, {0.5, 0.5}}};
  q.unique = {0, 0};
  // Luo et al. 2025, arXiv:2503.12811, 100M.
  q.annealing = {0, 0, 0, 0, 2.13, 0.598, 0.655};
  return q;
}

/// Like speech and text at 2.7B.
std::vector<TrajectoryModality> modalities() {
  TrajectoryModality speech, text;
  speech.end = {1.9, 1.7, 0.2, 1.2, 0.13, 0.37};
  speech.beta = 0.24;
  speech.start = std::log(2000.0);
  text.end = {2.5, 2.3, 0.2, 1.4, 0.4, 0.5};
  text.beta = 0.22;
  text.start = std::log(50000.0);
  return {speech, text};
}

TEST_SUITE("models/loss/trajectory") {
  TEST_CASE("on the law's schedule every modality starts fresh and ends at the law's loss") {
    CourseQuestion q = question();
    q.recipe.learning_rate.final_share = 0.1;
    const RunCourse course = run_course(q);
    const auto m = modalities();
    const Trajectory t = trajectory(course, m, kNoise);
    for (std::size_t i = 0; i < m.size(); ++i) {
      CHECK(t.loss[i].front() == doctest::Approx(m[i].start).epsilon(1e-9));
      CHECK(std::abs(t.loss[i].back() - m[i].end.loss) < 1e-9);
    }
    CHECK(std::abs(t.mean.back() - 0.5 * (1.9 + 2.5)) < 1e-9);
  }

  TEST_CASE("a constant rate ends higher, a decay after a long peak no worse than a cosine") {
    CourseQuestion q = question();
    const auto end = [&] { return trajectory(run_course(q), modalities(), kNoise).mean.back(); };
    const double cosine = end();
    q.recipe.learning_rate.shape = ScheduleShape::constant;
    const double constant = end();
    q.recipe.learning_rate.shape = ScheduleShape::warm_stable_decay;
    const double decayed = end();
    CHECK(constant > cosine + 0.02);
    CHECK(decayed < constant - 0.02);
    CHECK(decayed < cosine + 0.01);
  }

  TEST_CASE("before its decay a warm-stable-decay run is the constant one, then falls below") {
    CourseQuestion q = question();
    q.recipe.learning_rate.shape = ScheduleShape::constant;
    const RunCourse plain = run_course(q);
    const Trajectory constant = trajectory(plain, modalities(), kNoise);
    q.recipe.learning_rate.shape = ScheduleShape::warm_stable_decay;
    const RunCourse course = run_course(q);
    const Trajectory wsd = trajectory(course, modalities(), kNoise);
    const auto at = [](const RunCourse& c, const Trajectory& t, double step) {
      std::size_t k = 0;
      while (c.step[k] < step) ++k;
      return t.mean[k];
    };
    CHECK(at(course, wsd, 35000) == doctest::Approx(at(plain, constant, 35000)).epsilon(1e-3));
    CHECK(at(course, wsd, 45000) < at(plain, constant, 45000) - 0.02);
  }

  TEST_CASE("losses never rise along a cosine") {
    const RunCourse course = run_course(question());
    const Trajectory t = trajectory(course, modalities(), kNoise);
    for (const auto& curve : t.loss) {
      for (std::size_t k = 1; k < curve.size(); ++k) CHECK(curve[k] <= curve[k - 1] + 1e-12);
    }
  }

  TEST_CASE("a gain found for a fraction reaches the end's loss there and not sooner") {
    const RunCourse course = run_course(question());
    auto m = modalities();
    m[0].gain = gain_for(course, 0, m[0], kNoise, 0.6);
    // The rate is still up then, so it must have come further than the end by tokens alone.
    std::size_t k = 0;
    while (course.step[k] < 0.6 * course.steps) ++k;
    CHECK(m[0].gain * course.progress[0][k] > 1.05);
    const Trajectory t = trajectory(course, m, kNoise);
    const double step = step_reaching(course, t.loss[0], m[0].end.loss).value();
    CHECK(step == doctest::Approx(0.6 * course.steps).epsilon(0.01));
    CHECK(t.loss[0].back() < m[0].end.loss);
    CHECK(t.loss[1].back() == doctest::Approx(m[1].end.loss));
  }

  TEST_CASE("a gain is over the modality's own tokens, whenever they come") {
    CourseQuestion q = question();
    q.stages = {{0, {0.0, 1.0}}, {30e9, {1.0, 0.0}}};
    const RunCourse course = run_course(q);
    auto m = modalities();
    m[0].gain = gain_for(course, 0, m[0], kNoise, 0.6);
    CHECK(m[0].gain < 5);
    const Trajectory t = trajectory(course, m, kNoise);
    // Its 15B tokens begin at step 30,000: six tenths of them are there at 39,000.
    const double step = step_reaching(course, t.loss[0], m[0].end.loss).value();
    CHECK(step == doctest::Approx(39000).epsilon(0.01));
  }

  TEST_CASE("laws without a slope in tokens have a finite course") {
    const RunCourse course = run_course(question());
    for (const auto& [beta, by_tokens] : {std::pair{0.0005, 0.4}, {0.0, 0.4}, {0.24, 0.0}}) {
      auto m = modalities();
      m[0].beta = beta;
      m[0].end.by_tokens = by_tokens;
      m[0].gain = gain_for(course, 0, m[0], kNoise, 0.6);
      const Trajectory t = trajectory(course, m, kNoise);
      for (const double loss : t.loss[0]) CHECK(std::isfinite(loss));
      CHECK(std::isfinite(m[0].gain));
    }
  }

  TEST_CASE("where the noise alone is more than what tokens can give, the gain is the most") {
    const RunCourse course = run_course(question());
    auto m = modalities();
    m[0].end.by_tokens = 0.02;
    CHECK(gain_for(course, 0, m[0], 0.2, 0.3) == kMostGain);
  }

  TEST_CASE("a modality without share has no curve and no say in the mean") {
    CourseQuestion q = question();
    q.stages = {{0, {0.0, 1.0}}};
    const RunCourse course = run_course(q);
    const Trajectory t = trajectory(course, modalities(), kNoise);
    CHECK(t.loss[0].back() == 0);
    CHECK(t.mean.back() == doctest::Approx(t.loss[1].back()));
  }
}

}  // namespace
}  // namespace forerun::models
