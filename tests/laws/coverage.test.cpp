/// Bands against a truth that is known: runs are made of a law with noise, a law is fitted to them,
/// and runs that the fit never saw end inside the 80 % band about as often as it says.

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/random.h"
#include "models/loss/fit/fitted_law.h"
#include "models/loss/mixture_run.h"
#include "tests/laws/made_pairs.h"

namespace forerun::models {
namespace {

constexpr double kNoise = 0.01;
constexpr int kRepetitions = 24;

MixtureRun run_of(const Law& law, double parameters, double tokens, std::uint64_t seed) {
  MixtureRun run;
  run.law = law;
  run.modalities = {"speech", "text"};
  run.stages = {{0, {0.5, 0.5}}};
  run.unique = {0, 0};
  run.start = {std::log(50000.0), std::log(50000.0)};
  run.parameters = parameters;
  run.recipe = default_recipe();
  run.tokens = tokens;
  run.batch_tokens = 1e6;
  GainInput dense;
  dense.decoder = parameters;
  dense.share = 0.5;
  dense.tokens = tokens;
  run.gains = {dense, dense};
  run.draws = 100;
  run.threads = 1;
  run.seed = seed;
  return run;
}

TEST_SUITE("tests/laws/coverage") {
  TEST_CASE("runs that no fit saw end inside the 80 % band four times in five") {
    const CompanionLaws companions = load_companion_laws("schedule_luo_100m");
    const ConstantValues truth = made_law();
    int inside = 0, asked = 0;
    for (int r = 0; r < kRepetitions; ++r) {
      const auto seed = static_cast<std::uint64_t>(r + 1);
      Problems problems;
      FitOptions o;
      o.form = "interaction";
      o.bootstrap = 120;
      o.seed = seed;
      const Stages stages = stages_of(o.form, "", made_runs(truth, kNoise, 1000 + seed), problems);
      REQUIRE_MESSAGE(problems.empty(), problems.text("made"));
      const Law law = fitted_law(fit_stages(stages, o), stages, "fitted", "made runs", "a test");
      const Stream noise(seed, "coverage");
      std::uint64_t draw = 0;
      // Inside the runs' range, and three times beyond its largest.
      for (const auto& [n, d] : {std::pair{5e8, 40e9}, {3e9, 100e9}, {20e9, 300e9}}) {
        const auto answer = mixture_answer(run_of(law, n, d, seed), companions, problems);
        REQUIRE_MESSAGE(answer, problems.text("run"));
        const MixtureLoss end =
            final_loss(interaction_law(law, truth, {"speech", "text"}, problems), n, {0.5, 0.5},
                       {d / 2, d / 2});
        for (std::size_t i = 0; i < 2; ++i) {
          const double seen = end.modalities[i].loss * std::exp(kNoise * noise.normal(draw++));
          const Band& band = answer->modalities[i].band;
          inside += seen >= band.low && seen <= band.high ? 1 : 0;
          ++asked;
        }
      }
    }
    const double share = static_cast<double>(inside) / asked;
    MESSAGE(inside << " of " << asked << " inside");
    // 144 answers of which those of one fit go together: about 48 that count, so 80 % +- 6 %.
    CHECK(share > 0.70);
    CHECK(share < 0.92);
  }
}

}  // namespace
}  // namespace forerun::models
