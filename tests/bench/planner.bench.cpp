/// The planner on one core: configurations bounded a second (rules, memory walk and bound of the
/// step), and simulated a second, over the plans of two published machines.
/// Goals: 20,000 bounded, 1,000 simulated.

#include <benchmark/benchmark.h>

#include <stdexcept>

#include "core/file.h"
#include "core/reader.h"
#include "sim/memory.h"
#include "sim/planner/candidates.h"
#include "sim/planner/plan_search.h"
#include "sim/planner/step_bound.h"
#include "sim/step.h"

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

/// All candidates, as a search assesses them; "configurations" are those that keep the rules.
void bounded(benchmark::State& state, const char* name) {
  const Scenario s = shipped(name);
  const SearchSpace space = default_space(s);
  const Candidates made = candidates(space, s);
  SearchOptions options;
  options.front = false;
  options.bounds_only = true;
  std::int64_t plans = 0;
  for (auto _ : state) {
    const PlanSearch found = search_plans(s, space, options);
    plans += found.counts.too_big + found.counts.bounded_away;
  }
  state.SetItemsProcessed(plans);
  state.counters["candidates"] = static_cast<double>(made.list.size());
}

/// Every seventh plan of the space that fits, simulated.
void simulated(benchmark::State& state, const char* name) {
  Scenario s = shipped(name);
  const SearchSpace space = default_space(s);
  std::vector<Plan> plans;
  Scenario planned = s;
  std::size_t at = 0;
  for (const Candidate& c : candidates(space, s).list) {
    if (++at % 7 != 0) continue;
    put(c, space, s.plan, planned.plan);
    Problems problems;
    check_scenario(planned, problems);
    if (!problems.empty()) continue;
    if (step_memory(planned, make_layout(planned), Remedies::skip).fits) {
      plans.push_back(planned.plan);
    }
  }
  StepCache cache(s);
  for (auto _ : state) {
    for (const Plan& plan : plans) {
      s.plan = plan;
      const Layout layout = make_layout(s);
      benchmark::DoNotOptimize(step_time(s, layout, Variation(s, layout), cache));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(plans.size()));
  state.counters["plans"] = static_cast<double>(plans.size());
}

/// A whole search: front, runners-up and all.
void searched(benchmark::State& state, const char* name) {
  const Scenario s = shipped(name);
  const SearchSpace space = default_space(s);
  PlanSearch found;
  for (auto _ : state) found = search_plans(s, space, {});
  const SearchCounts& c = found.counts;
  state.counters["simulated"] = static_cast<double>(c.simulated);
  state.SetItemsProcessed(state.iterations() * (c.too_big + c.bounded_away + c.simulated));
}

constexpr const char* k175b = "gpt3_175b_korthikanti";
constexpr const char* k405b = "llama3_405b_16384_h100";

BENCHMARK_CAPTURE(bounded, 175b, k175b)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(bounded, 405b, k405b)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simulated, 175b, k175b)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simulated, 405b, k405b)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(searched, 175b, k175b)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(searched, 405b, k405b)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace forerun::sim
