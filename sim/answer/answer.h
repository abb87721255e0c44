#pragma once

/// The whole answer to a scenario: one step, the losses, the run in time and what it costs. What
/// `forerun run`, `compare`, `plan`, `sweep`, the report and the window all show: one function, so
/// that equal questions have equal answers.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/evidence.h"
#include "sim/cost/cost_forecast.h"
#include "sim/run/run_forecast.h"
#include "sim/run_loss.h"
#include "sim/step.h"

namespace forerun::sim {

struct AnswerOptions {
  std::int64_t run_draws = 200;   ///< simulated runs
  std::int64_t loss_draws = 200;  ///< of the law's constants; 0: no losses are asked
  int threads = 1;                ///< 0: one a processor; the answer is the same for any number
  Detail detail = Detail::folded;
  Remedies remedies = Remedies::find;  ///< where memory does not fit
};

struct Answer {
  MemoryResult memory;
  std::optional<StepResult> step;  ///< nothing, and nothing below, where memory does not fit
  double parameters = 0, tokens_per_step = 0;
  // Nothing unless the scenario says how many tokens are trained.
  std::optional<double> steps;
  std::optional<RunLoss> loss;
  std::optional<RunForecast> run;
  std::optional<CostForecast> cost;  ///< nothing where neither a price nor a "cost" is stated
};

/// The step's part of it may be given where it is known (sim/step.h; of an equal plan, machine and
/// model: nothing else moves it), to save its simulation; so may its losses (run_loss.h; of equal
/// draws, and no machine, framework, operation or price moves them). Problems: what keeps the
/// losses from being known although a law was named.
[[nodiscard]] Answer answer(const Scenario&, const AnswerOptions&, Problems&,
                            std::optional<StepResult> step,
                            std::optional<RunLoss> loss = std::nullopt);
[[nodiscard]] Answer answer(const Scenario&, const AnswerOptions&, Problems&);

/// One number of an answer by name, for tables of many answers.
struct Metric {
  std::string name;  ///< "days_p50", "cost_usd_p90", "loss.text" ...
  std::string unit;  ///< "d", "USD", "nats"; empty: none
  std::optional<double> value;
  Evidence evidence = Evidence::derived;
};
/// Of any answer, in one order.
[[nodiscard]] std::vector<Metric> metrics(const Scenario&, const Answer&);

}  // namespace forerun::sim
