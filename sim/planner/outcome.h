#pragma once

/// What a planned run comes to: days, dollars, loss. One small function that the search over
/// machines asks for each point: its days are simulated with all that interrupts them
/// (sim/run/run_forecast.h), its loss is the law's at the constants' own values.
///
/// Not modelled here: rollbacks of a diverging loss (sim/answer/answer.h has them), bands of the
/// loss.

#include <optional>
#include <string>
#include <vector>

#include "core/problem.h"
#include "core/quantity.h"
#include "models/loss/law.h"
#include "models/loss/mixture_run.h"
#include "sim/scenario.h"

namespace forerun::sim {

struct Outcome {
  Seconds step_time{};
  double tokens = 0, steps = 0;
  Seconds duration{};           ///< of the median run
  Seconds early{}, late{};      ///< 10th and 90th percentile
  double goodput = 1;           ///< median: time of steps that count over all
  double given_up = 0;          ///< share of the simulated runs that do not end (run_forecast.h)
  std::optional<Dollars> cost;  ///< of the median run (sim/cost); nothing where nothing has a price
  std::optional<double> loss;   ///< nats a token; nothing where no law is known
};

/// The loss that a scenario's run ends with, after any number of tokens.
class EndLoss {
 public:
  /// `modality`: whose; empty: the mean. `law` in place of the scenario's own, if given.
  EndLoss(const Scenario&, std::string modality, std::optional<models::Law> law = std::nullopt);
  /// Nothing where no law is known, or it does not speak of the question (said in `why`).
  [[nodiscard]] std::optional<double> after(double tokens) const;
  /// The fewest tokens, in whole steps, after which the loss is at most `target`, as more tokens
  /// never raise a law's end. Nothing if a quadrillion are not enough.
  /// `near`: tokens that may be near to them, so that fewer questions are needed; 0: none known.
  [[nodiscard]] std::optional<double> tokens_to(double target, double near = 0) const;
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] const std::optional<models::Law>& law() const { return law_; }

 private:
  const Scenario& scenario_;
  std::string modality_;
  std::optional<models::Law> law_;
  models::CompanionLaws companions_;
  mutable std::string why_;
};

/// A step as a run and its bill see it.
struct StepFacts {
  Seconds time{};
  Watts power{};  ///< mean, of an accelerator
};
/// Of the scenario's plan with `tokens`, by that step; without a loss where none is asked.
[[nodiscard]] Outcome outcome(const Scenario&, const StepFacts&, double tokens, const EndLoss*);

}  // namespace forerun::sim
