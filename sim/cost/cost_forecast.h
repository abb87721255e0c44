#pragma once

/// What the draws of a run (sim/run/run_forecast.h) cost: money, energy, carbon, and whether a
/// deadline and a budget hold.

#include <optional>
#include <string>
#include <vector>

#include "core/evidence.h"
#include "core/quantity.h"
#include "sim/run/run_forecast.h"

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

}  // namespace forerun::sim
