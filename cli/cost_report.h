#pragma once

/// What a run costs, as text for people and as JSON for programs.

#include <optional>
#include <string>
#include <vector>

#include "cli/run_report.h"
#include "core/json_writer.h"
#include "sim/cost/cost_forecast.h"
#include "sim/scenario.h"

namespace forerun::cli {

/// Cost, energy, carbon and the probabilities of the limits.
[[nodiscard]] std::vector<HeadlineRow> cost_headline(const sim::Scenario&,
                                                     const sim::CostForecast&);
/// The items with their percentiles, evidence and source, what was assumed, and warnings.
[[nodiscard]] std::string cost_text(const sim::CostForecast&);
/// "cost": null where nothing was asked.
void write_cost_forecast(JsonWriter&, const sim::Scenario&,
                         const std::optional<sim::CostForecast>&);

}  // namespace forerun::cli
