/// Fits of laws. Goal: 250 runs with 1,000 bootstrap draws under 30 s on two cores, of the power
/// law and of a pair law.

#include "models/loss/fit/fit.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "core/random.h"

namespace forerun::models {
namespace {

/// 250 runs of one modality, or of two alone and together, with 1 % of noise.
RunTable made(bool pairs) {
  const Stream noise(1, "bench/noise");
  RunTable table;
  for (int i = 0; i < 250; ++i) {
    const double n = 8e6 * std::pow(2.0, i % 10);
    const double d = 1e9 * std::pow(1.6, (i / 10) % 13);
    const double term = 1.7 + 300 / std::pow(n, 0.33) + 1200 / std::pow(d, 0.35);
    Run run;
    run.name = fmt::format("run {}", i);
    run.parameters = n;
    const int kind = pairs ? i / 10 % 3 : 0;
    const double loss = term * std::exp(0.01 * noise.normal(static_cast<std::uint64_t>(i)));
    if (!pairs) {
      run.tokens[""] = d;
      run.losses[""] = loss;
    } else if (kind == 2) {
      run.tokens = {{"speech", d / 2}, {"text", d / 2}};
      run.losses["mean"] = loss - 0.5 + 20 / std::pow(n, 0.2);
    } else {
      run.tokens[kind == 0 ? "text" : "speech"] = d;
      run.losses[""] = kind == 0 ? loss : loss + 0.3;
    }
    table.runs.push_back(run);
  }
  return table;
}

void fit(benchmark::State& state, const char* form) {
  const RunTable table = made(std::string_view(form) == "interaction");
  Problems problems;
  FitOptions o;
  o.form = form;
  o.threads = 2;
  const Stages stages = stages_of(form, "", table, problems);
  FORERUN_ASSERT(problems.empty(), problems.text("bench"));
  for (auto _ : state) benchmark::DoNotOptimize(fit_stages(stages, o));
}

void fit_power(benchmark::State& state) { fit(state, "power"); }
void fit_pair(benchmark::State& state) { fit(state, "interaction"); }
BENCHMARK(fit_power)->Unit(benchmark::kSecond)->UseRealTime()->Iterations(1);
BENCHMARK(fit_pair)->Unit(benchmark::kSecond)->UseRealTime()->Iterations(1);

}  // namespace
}  // namespace forerun::models
