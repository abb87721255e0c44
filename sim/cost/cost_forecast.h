#pragma once

/// What the draws of a run (sim/run/run_forecast.h) cost: money, energy, carbon, and whether a
/// deadline and a budget hold.

#include <optional>
#include <string>
#include <vector>

#include "core/evidence.h"
#include "core/quantity.h"
#include "sim/run/run_forecast.h"
#include "sim/scenario.h"
#include "sim/step.h"

namespace forerun::sim {

/// Of one simulated run.
struct Bill {
  struct Item {
    std::string name;  ///< "rent", "depreciation", "electricity", "people" ...
    Dollars amount{};
  };
  std::vector<Item> items;
  Joules energy{};  ///< at the meter: PUE included
  double carbon_kg = 0;
  bool carbon_known = false;
  [[nodiscard]] Dollars total() const;
};

struct CostForecast {
  struct Item {
    std::string name;
    Spread usd;
    Evidence evidence = Evidence::assumed;
    std::string source;
  };
  std::vector<Item> items;
  Spread total_usd, energy_kwh;
  std::optional<Spread> carbon_kg;                         ///< nothing where the place is not known
  std::optional<double> by_deadline, within_budget, both;  ///< probabilities, where asked
  Evidence evidence = Evidence::assumed;                   ///< the weakest of the inputs
  std::vector<std::string> assumptions, warnings;
};

/// Whether a scenario says anything of cost, energy or limits.
[[nodiscard]] bool cost_is_asked(const Scenario&);
/// From the start of the run to the end of the day of its deadline; asserts that both are there.
[[nodiscard]] Seconds time_to_deadline(const CostSection&);
/// Bills of all draws (bill.h), each with its own draw of what is known within a range, and what
/// share of them meets the deadline, the budget and both. Asserts a draw.
[[nodiscard]] CostForecast cost_forecast(const Scenario&, const StepResult&, const RunForecast&);

}  // namespace forerun::sim
