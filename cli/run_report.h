#pragma once

/// A run's forecast as text and JSON: days, what is lost to what, interruptions, checkpoints.

#include <string>
#include <vector>

#include "core/json_writer.h"
#include "sim/run/run_forecast.h"
#include "sim/scenario.h"

namespace forerun::cli {

struct HeadlineRow {
  std::string what, value, remark;
};
/// Duration with its band, goodput, accelerator-hours.
[[nodiscard]] std::vector<HeadlineRow> run_headline(const sim::Scenario&, const sim::RunForecast&,
                                                    double steps);
/// Where the days go, what interrupts, how often state is saved, and what all that assumes.
[[nodiscard]] std::string forecast_text(const sim::Scenario&, const sim::RunForecast&);
/// The object of the key "run".
void write_forecast(JsonWriter&, const sim::RunForecast&);

}  // namespace forerun::cli
