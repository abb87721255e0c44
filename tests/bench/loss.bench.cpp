// Trajectories: how long a Monte Carlo over a law's constants takes.

#include <benchmark/benchmark.h>

#include <cmath>

#include "core/error.h"
#include "models/loss/mixture_run.h"

namespace {

using namespace forerun;
using models::Constant;
using models::Spread;

/// Seven modalities, every constant with a spread.
models::Law seven() {
  models::Law law;
  law.name = "seven";
  law.form = "interaction";
  const std::vector<std::string> names = {"a", "b", "c", "d", "e", "f", "g"};
  const auto put = [&](const std::string& name, double v) {
    law.constants[name] = {v, Evidence::assumed, "a benchmark", Spread::range, 0.8 * v, 1.2 * v};
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    put(names[i] + ".E", 1.5);
    put(names[i] + ".A", 60);
    put(names[i] + ".alpha", 0.2 + 0.02 * static_cast<double>(i));
    put(names[i] + ".B", 90);
    put(names[i] + ".beta", 0.2);
    for (std::size_t j = i + 1; j < names.size(); ++j) {
      const std::string pair = models::pair_name(names[i], names[j]);
      put(pair + ".C", 0.3);
      put(pair + ".A", 6);
      put(pair + ".alpha", 0.15);
      put(pair + ".B", 20);
      put(pair + ".beta", 0.24);
    }
  }
  return law;
}

/// Goal: 1,000 trajectories of 100,000 steps with seven modalities under 2 s on two cores, each
/// with plateaus of its own, evaluated at 320 knots; bands of every knot included.
void thousand_trajectories(benchmark::State& state) {
  models::MixtureRun run;
  run.law = seven();
  run.modalities = {"a", "b", "c", "d", "e", "f", "g"};
  run.stages = {{0, std::vector<double>(7, 1.0 / 7)}};
  run.unique.assign(7, 0.0);
  run.start.assign(7, std::log(50000.0));
  run.parameters = 1e9;
  run.recipe = models::default_recipe();
  run.tokens = 100e9;
  run.batch_tokens = 1e6;
  models::GainInput dense;
  dense.decoder = 1e9;
  dense.share = 1.0 / 7;
  dense.tokens = 100e9;
  run.gains.assign(7, dense);
  run.draws = 1000;
  run.threads = 2;
  const models::CompanionLaws laws = models::load_companion_laws("schedule_luo_100m");
  for (auto _ : state) {
    Problems problems;
    const auto answer = models::mixture_answer(run, laws, problems);
    FORERUN_ASSERT(answer && answer->course.steps == 100000, problems.text("run"));
    benchmark::DoNotOptimize(answer->mean_band.high);
  }
}
BENCHMARK(thousand_trajectories)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
