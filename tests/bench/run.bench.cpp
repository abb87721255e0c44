// The run in time: goal, 1,000 runs of 54 days with failures in 2 s on two cores.

#include <benchmark/benchmark.h>

#include "core/file.h"
#include "sim/answer/answer.h"
#include "sim/run/run_setup.h"
#include "sim/step.h"

namespace {

using namespace forerun;
using namespace forerun::sim;

Scenario llama() {
  Problems problems;
  const JsonDocument document =
      JsonDocument::load(data_path("scenarios/llama3_405b_16384_h100.json"), problems);
  Scenario s = *read_scenario(document, problems);
  s.operations.reliability = hw::load_reliability("llama3-405b-54-days");
  return s;
}

/// 54 days of Llama 3 405B on 16,384 H100 with its published failure rates, 1,000 times.
void a_thousand_runs(benchmark::State& state) {
  const Scenario s = llama();
  const Seconds step = step_time(s);
  RunSetup setup = run_setup(s, step, std::nullopt);
  setup.steps = std::round(54.0 * 86400 / step.base());
  setup.error_low = setup.error_high = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(run_forecast(setup, 1, 1000, static_cast<int>(state.range(0))));
  }
}
BENCHMARK(a_thousand_runs)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

/// The whole answer of a scenario as `forerun run` gives it.
void an_answer(benchmark::State& state) {
  const Scenario s = llama();
  for (auto _ : state) {
    Problems problems;
    AnswerOptions options;
    options.run_draws = 400;
    benchmark::DoNotOptimize(answer(s, options, problems));
  }
}
BENCHMARK(an_answer)->Unit(benchmark::kMillisecond);

}  // namespace
