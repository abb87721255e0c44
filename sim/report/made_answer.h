#pragma once

/// Answers for tests of the page: all simulated, but for the bill, which is made up.

#include <string>

#include "core/error.h"
#include "core/file.h"
#include "sim/report/report_page.h"

namespace forerun::sim {

inline Scenario scenario_named(const std::string& name) {
  Problems problems;
  const JsonDocument document = JsonDocument::parse(
      read_file(data_path("scenarios/" + name + ".json"), kMaxJsonBytes), problems);
  std::optional<Scenario> s = read_scenario(document, problems);
  FORERUN_ASSERT(s.has_value(), problems.text(name));
  return *std::move(s);
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
  c.items = {{"rent", spread(rent), Evidence::published, "a list <of prices>"},
             {"electricity", spread(power), Evidence::assumed, ""}};
  c.total_usd = spread(total);
  c.energy_kwh = spread(energy);
  c.carbon_kg = spread(carbon);
  c.by_deadline = 0.83;
  c.within_budget = 0.91;
  c.both = 0.79;
  c.assumptions = {"the price holds for the whole run"};
  return c;
}

/// With a bill; 50 simulated runs.
inline Answer full_answer(const Scenario& s) {
  Problems problems;
  Answer a = answer(s, {.run_draws = 50, .loss_draws = 20}, problems);
  FORERUN_ASSERT(problems.empty() && a.run && a.loss, problems.text(s.name));
  a.cost = made_cost(*a.run, static_cast<double>(s.accelerators));
  return a;
}

/// One step, whatever the scenario trains.
inline Answer step_answer(Scenario s) {
  s.training_tokens = 0;
  Problems problems;
  return answer(s, {}, problems);
}

inline ReportIdentity made_identity() {
  using namespace std::chrono;
  return {"0.1.0", "forerun run scenarios/x.json --set 'a=<b>' --report x.html",
          sys_days(2027y / March / 1), 100.0_days, 2.5e6 * 1.0_usd};
}

}  // namespace forerun::sim
