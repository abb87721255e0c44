/// A step of Llama 3 405B as events: every kernel, stage and micro-batch.
/// Goals: on 16,384 H100, TP8 PP16, a 16M-token batch, one step in 50 ms on one core; and no slower
/// per accelerator's worth of different work as data parallelism grows from 1,024 to 131,072.

#include "sim/step.h"

#include <benchmark/benchmark.h>

#include <stdexcept>

#include "core/file.h"
#include "core/reader.h"
#include "sim/scenario.h"

namespace forerun::sim {
namespace {

Scenario shipped(const std::string& name) {
  Problems problems;
  const JsonDocument document =
      JsonDocument::load(data_path("scenarios/" + name + ".json"), problems);
  std::optional<Scenario> s = read_scenario(document, problems);
  if (!s) throw std::runtime_error(problems.text("scenario"));
  return *std::move(s);
}

/// scenarios/llama3_405b_16384_h100.json laid over `accelerators`: the data-parallel replicas and
/// the batch grow together, so that each rank's work stays what it is.
Scenario llama(std::int64_t accelerators) {
  Scenario s = shipped("llama3_405b_16384_h100");
  s.plan.global_batch = s.plan.global_batch * accelerators / s.accelerators;
  s.plan.data = s.plan.data * accelerators / s.accelerators;
  s.accelerators = accelerators;
  return s;
}

void step(benchmark::State& state, const Scenario& scenario, Detail detail) {
  StepResult result;
  for (auto _ : state) result = simulate_step(scenario, detail);
  state.counters["events"] = static_cast<double>(result.events);
  state.counters["simulated_s"] = result.time.base();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(result.events));
}

void kernels(benchmark::State& state) { step(state, llama(state.range(0)), Detail::kernels); }
void folded(benchmark::State& state) { step(state, llama(state.range(0)), Detail::folded); }

/// What a search asks: the time alone.
void time_only(benchmark::State& state) {
  const Scenario scenario = llama(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(step_time(scenario));
}

/// DeepSeek-V3 on 2,048 H800: every replica's experts as loaded as drawn, or all alike.
void deepseek(benchmark::State& state) {
  Scenario s = shipped("deepseek_v3_2048_h800");
  if (state.range(0) == 0) s.expert_loads = {};
  for (auto _ : state) benchmark::DoNotOptimize(step_time(s));
}

/// Llama 3 405B on the 197,632 links of its RoCE cluster: every exchange a flow, its routes found
/// and its links sorted out in each step.
void on_graph(benchmark::State& state) {
  step(state, shipped("llama3_405b_16384_h100_roce"), Detail::folded);
}

BENCHMARK(deepseek)->Name("deepseek_v3/imbalanced")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(on_graph)->Name("llama3_405b/flow/16384")->Unit(benchmark::kMillisecond);
BENCHMARK(kernels)
    ->Name("llama3_405b/kernels/accelerators")
    ->RangeMultiplier(2)
    ->Range(1024, 131072)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(folded)
    ->Name("llama3_405b/folded/accelerators")
    ->Arg(1024)
    ->Arg(16384)
    ->Arg(131072)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(time_only)
    ->Name("llama3_405b/time_only/accelerators")
    ->Arg(16384)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace forerun::sim
