#include "models/loss/coordinate_ascent.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace forerun::models {
namespace {

AscentLaw assumed() {
  const Law law = load_law("coordinate_ascent");
  Problems problems;
  return ascent_law(law, central_values(law), problems);
}

InteractionLaw speech_text() {
  return {{"speech", "text"},
          {{1.2, 110, 0.31, 110, 0.24}, {1.4, 20, 0.18, 80, 0.22}},
          {{0.99, 22.4, 0.151, 150, 0.24, 0.5}}};
}

RunCourse course(const std::vector<double>& shares, double tokens = 45e9) {
  CourseQuestion q;
  q.recipe = default_recipe();
  q.tokens = tokens;
  q.batch_tokens = 1e6;
  q.stages = {{0, shares}};
  q.unique.assign(shares.size(), 0.0);
  q.annealing = {0, 0, 0, 0, 2.13, 0.598, 0.655};
  return run_course(q);
}

Trajectory smooth(const RunCourse& c, std::size_t n) {
  std::vector<TrajectoryModality> m(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double x = static_cast<double>(i);
    m[i].end = {2.0 + 0.3 * x, 1.8, 0.2, 1.2, 0.2, 0.3 + 0.1 * x};
    m[i].beta = 0.15 + 0.05 * x;
    m[i].start = 9.0 + x;
  }
  return trajectory(c, m, 0.04);
}

TEST_SUITE("models/loss/coordinate_ascent") {
  TEST_CASE("of its own accord speech stands still for less of the run the larger the model") {
    // 0.5 ((28.35 / 2.7)^0.151 - 1) = 0.213, and at 350M 0.47.
    CHECK(flat_shares(assumed(), speech_text(), 2.7e9, {0.5, 0.5})[0] ==
          doctest::Approx(0.213).epsilon(0.01));
    CHECK(flat_shares(assumed(), speech_text(), 350e6, {0.5, 0.5})[0] ==
          doctest::Approx(0.47).epsilon(0.01));
    CHECK(flat_shares(assumed(), speech_text(), 30e9, {0.5, 0.5})[0] == 0);
  }

  TEST_CASE("the flat share falls with size and knows nothing of beta_ij") {
    InteractionLaw law = speech_text();
    double last = 1;
    for (const double n : {1e9, 3e9, 10e9, 25e9}) {
      const double flat = flat_shares(assumed(), law, n, {0.3, 0.7})[0];
      CHECK(flat < last);
      last = flat;
    }
    const auto before = flat_shares(assumed(), law, 3e9, {0.3, 0.7});
    law.pairs[0].beta = 0.4;
    law.pairs[0].b *= 10;
    CHECK(flat_shares(assumed(), law, 3e9, {0.3, 0.7}) == before);
    law.pairs[0].alpha = 0.3;
    CHECK(flat_shares(assumed(), law, 3e9, {0.3, 0.7})[0] > before[0]);
  }

  TEST_CASE("the mean stays on its smooth course and every modality ends on its own") {
    const bool ok = rc::check("conserved", [] {
      const std::size_t n = *rc::gen::inRange<std::size_t>(2, 8);
      std::vector<double> shares(n);
      for (double& w : shares) w = 1.0 + *rc::gen::inRange(0, 100);
      const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
      for (double& w : shares) w /= sum;
      std::vector<double> flat(n);
      for (double& f : flat) f = 0.01 * *rc::gen::inRange(0, 50);
      const RunCourse c = course(shares);
      const Trajectory before = smooth(c, n);
      const Stream stream(*rc::gen::inRange<std::uint64_t>(0, 1000), "ascent");
      const Ascent a = coordinate_ascent(c, before, flat, 5000, stream);
      for (std::size_t k = 0; k < c.step.size(); ++k) {
        double mean = 0;
        for (std::size_t i = 0; i < n; ++i) {
          mean += c.share_of(i) * a.gated.loss[i][k];
          if (k > 0) RC_ASSERT(a.gated.loss[i][k] <= a.gated.loss[i][k - 1] + 1e-9);
        }
        RC_ASSERT(std::abs(mean - before.mean[k]) < 1e-9);
      }
      for (std::size_t i = 0; i < n; ++i) {
        RC_ASSERT(std::abs(a.gated.loss[i].back() - before.loss[i].back()) < 1e-9);
      }
    });
    CHECK(ok);
  }

  TEST_CASE("a plateau is flat, the others fall faster there, and they alternate") {
    const RunCourse c = course({0.5, 0.5});
    const Trajectory before = smooth(c, 2);
    const Ascent a = coordinate_ascent(c, before, {0.4, 0.0}, 15000, Stream(3, "ascent"));
    REQUIRE(a.plateaus.size() == 2);
    CHECK(a.plateaus[0].modality == 0);
    CHECK(a.plateaus[1].modality == 1);
    CHECK(a.plateaus[0].to == a.plateaus[1].from);
    const auto at = [&](double step) {
      return static_cast<std::size_t>(std::ranges::lower_bound(c.step, step) - c.step.begin());
    };
    const std::size_t from = at(a.plateaus[0].from), to = at(a.plateaus[0].to);
    CHECK(a.gated.loss[0][to] == doctest::Approx(a.gated.loss[0][from]).epsilon(1e-12));
    CHECK(a.gated.loss[1][from] - a.gated.loss[1][to] > before.loss[1][from] - before.loss[1][to]);
  }

  TEST_CASE("a run of a billion steps stands still for the same share, in few plateaus") {
    const RunCourse c = course({0.5, 0.5}, 1e15);
    const Ascent a = coordinate_ascent(c, smooth(c, 2), {0.2, 0.0}, 15000, Stream(3, "ascent"));
    CHECK(a.plateaus.size() < 40);
    CHECK(a.flat_share[0] == doctest::Approx(0.2).epsilon(0.25));
  }

  TEST_CASE("what does not fall has no turn") {
    const RunCourse c = course({0.5, 0.5});
    Trajectory flat = smooth(c, 2);
    for (auto& curve : flat.loss) std::ranges::fill(curve, 2.0);
    const Ascent a = coordinate_ascent(c, flat, {0.4, 0.4}, 5000, Stream(3, "ascent"));
    CHECK(a.plateaus.empty());
  }

  TEST_CASE("without competition nothing is gated, and the same seed gives the same run") {
    const RunCourse c = course({0.5, 0.5});
    const Trajectory before = smooth(c, 2);
    const Ascent none = coordinate_ascent(c, before, {0, 0}, 15000, Stream(3, "ascent"));
    CHECK(none.gated.loss == before.loss);
    CHECK(none.plateaus.empty());
    const auto run = [&](std::uint64_t seed) {
      return coordinate_ascent(c, before, {0.4, 0.4}, 5000, Stream(seed, "ascent")).gated.loss;
    };
    CHECK(run(1) == run(1));
    CHECK(run(1) != run(2));
  }
}

}  // namespace
}  // namespace forerun::models
