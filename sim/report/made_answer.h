#pragma once

/// Answers for tests of the page: the step and the losses simulated, the run and its bill made up
/// of 50 draws.

#include <string>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "core/statistics.h"
#include "sim/layout.h"
#include "sim/report/report_page.h"
#include "sim/run.h"

namespace forerun::sim {

inline Scenario scenario_named(const std::string& name) {
  Problems problems;
  const JsonDocument document = JsonDocument::parse(
      read_file(data_path("scenarios/" + name + ".json"), kMaxJsonBytes), problems);
  std::optional<Scenario> s = read_scenario(document, problems);
  FORERUN_ASSERT(s.has_value(), problems.text(name));
  return *std::move(s);
}

inline Spread made_spread(const std::vector<double>& v) {
  return {quantile(v, 0.1), quantile(v, 0.5), quantile(v, 0.9), mean(v)};
}

inline RunForecast made_run(Seconds undisturbed) {
  constexpr std::size_t kDraws = 50;
  const Stream stream{7, "made/run"};
  RunForecast r;
  std::vector<double> durations, goodputs, all;
  std::array<std::vector<double>, kTimeUses> shares;
  std::array<std::vector<double>, 3> causes;
  for (std::size_t d = 0; d < kDraws; ++d) {
    const auto u = [&](std::size_t i) { return stream.uniform(16 * d + i); };
    RunDraw draw;
    draw.use[0] = undisturbed;
    for (std::size_t i = 1; i < kTimeUses; ++i) {
      // Nothing waits for data or is planned.
      if (i == 2 || i == 9) continue;
      draw.use[i] = undisturbed * (0.004 + 0.02 * u(i));
    }
    for (const Seconds t : draw.use) draw.duration += t;
    draw.steps_done = 1000;
    for (std::size_t c = 0; c < causes.size(); ++c) {
      draw.interruptions.push_back(static_cast<std::int64_t>(60.0 * u(12 + c) / (1.0 + 2.0 * c)));
      causes[c].push_back(static_cast<double>(draw.interruptions[c]));
    }
    durations.push_back(draw.duration.base());
    goodputs.push_back(draw.goodput());
    all.push_back(causes[0].back() + causes[1].back() + causes[2].back());
    for (std::size_t i = 0; i < kTimeUses; ++i) shares[i].push_back(draw.use[i] / draw.duration);
    r.draws.push_back(std::move(draw));
  }
  for (std::size_t i = 0; i < kTimeUses; ++i) {
    r.parts.push_back({static_cast<TimeUse>(i), made_spread(shares[i])});
  }
  r.causes = {{"GPU", made_spread(causes[0])},
              {"software", made_spread(causes[1])},
              {"network & \"links\"", made_spread(causes[2])}};
  r.duration_s = made_spread(durations);
  r.goodput = made_spread(goodputs);
  r.interruptions = made_spread(all);
  r.checkpoint_interval = 30.0_h / 60.0;
  r.best_interval = 21.0_h / 60.0;
  r.nodes = 8;
  r.spares = 1;
  r.assumptions = {"restarts take 5 to 20 minutes"};
  r.warnings = {"fewer spares than failures in a week"};
  return r;
}

inline CostForecast made_cost(const RunForecast& run, double accelerators) {
  std::vector<double> rent, power, total, energy, carbon;
  for (const RunDraw& d : run.draws) {
    const double hours = accelerators * d.duration.in(1.0_h);
    rent.push_back(2.1 * hours);
    power.push_back(0.09 * hours);
    total.push_back(rent.back() + power.back());
    energy.push_back(0.8 * hours);
    carbon.push_back(0.3 * energy.back());
  }
  CostForecast c;
  c.items = {{"rent", made_spread(rent), Evidence::published, "a list <of prices>"},
             {"electricity", made_spread(power), Evidence::assumed, ""}};
  c.total_usd = made_spread(total);
  c.energy_kwh = made_spread(energy);
  c.carbon_kg = made_spread(carbon);
  c.by_deadline = 0.83;
  c.within_budget = 0.91;
  c.both = 0.79;
  c.assumptions = {"the price holds for the whole run"};
  return c;
}

/// A step, its memory, and the losses where tokens are trained and `loss_draws` is above 0.
inline Answer simulated_answer(const Scenario& s, std::int64_t loss_draws) {
  Answer a;
  a.memory = step_memory(s, make_layout(s));
  a.fits = a.memory.fits;
  if (!a.fits) return a;
  const RunResult r = simulate_run(s, std::nullopt);
  a.step = r.step;
  a.parameters = r.parameters;
  a.tokens_per_step = r.tokens_per_step;
  a.steps = r.steps;
  Problems problems;
  if (loss_draws > 0) a.loss = run_loss(s, loss_draws, 1, problems);
  return a;
}

inline Answer full_answer(const Scenario& s) {
  Answer a = simulated_answer(s, 20);
  a.run = made_run(*a.steps * a.step->time);
  a.cost = made_cost(*a.run, static_cast<double>(s.accelerators));
  return a;
}

inline ReportIdentity made_identity() {
  using namespace std::chrono;
  return {"0.1.0", "forerun run scenarios/x.json --set 'a=<b>' --report x.html",
          sys_days(2027y / March / 1), 100.0_days, 2.5e6 * 1.0_usd};
}

}  // namespace forerun::sim
