#pragma once

/// Answers for tests of the page.

#include <string>

#include "core/error.h"
#include "core/file.h"
#include "sim/report/report_page.h"

namespace forerun::sim {

/// A scenario of scenarios/ with `more` at the beginning of its object.
inline Scenario scenario_named(const std::string& name, const std::string& more = {}) {
  std::string text = read_file(data_path("scenarios/" + name + ".json"), kMaxJsonBytes);
  text.insert(text.find('{') + 1, more);
  Problems problems;
  const JsonDocument document = JsonDocument::parse(text, problems);
  std::optional<Scenario> s = read_scenario(document, problems);
  FORERUN_ASSERT(s.has_value(), problems.text(name));
  return *std::move(s);
}

/// Two modalities, rented machines, a deadline and a budget: an answer with all its parts.
inline Scenario scenario_with_all() {
  return scenario_named("interaction_350m_speech_text_64_a100", R"(
    "cost": {
      "start": "2027-03-01", "start_hour": 8, "deadline": "2027-03-02", "budget": "3000 USD",
      "rent": {"accelerator_hour": {"value": "2.10 USD/h", "source": "a list <of prices>"}},
      "site": {"place": "usa-virginia", "operator": "google"},
      "people": {"count": 1, "year": "250000 USD"}
    },)");
}

inline Answer full_answer(const Scenario& s) {
  Problems problems;
  Answer a = answer(s, {.run_draws = 50, .loss_draws = 20}, problems);
  FORERUN_ASSERT(problems.empty() && a.run && a.loss && a.cost, problems.text(s.name));
  return a;
}

/// One step, whatever the scenario trains.
inline Answer step_answer(Scenario s) {
  s.training_tokens = 0;
  Problems problems;
  return answer(s, {}, problems);
}

inline ReportIdentity made_identity() {
  return {"0.1.0", "forerun run scenarios/x.json --set 'a=<b>' --report x.html"};
}

}  // namespace forerun::sim
