#pragma once

/// A whole training run from one step: so many equal steps, one after another. A first slice: days,
/// accelerator-hours, list price and the final loss of a text model.
///
/// Not modelled: failures, checkpoints, evaluations, warm-up, data loading, changes of batch or
/// sequence along the run. The duration is what an undisturbed run takes.

#include <optional>

#include "core/quantity.h"
#include "models/loss/power_law.h"
#include "sim/step.h"

namespace forerun::sim {

struct RunResult {
  StepResult step;
  double tokens_per_step = 0;
  double parameters = 0;         ///< of the model, embeddings included
  double tokens_per_second = 0;  ///< of the whole cluster
  // Nothing unless the scenario says how many tokens are trained.
  std::optional<double> steps;  ///< whole steps
  std::optional<Seconds> duration;
  std::optional<double> accelerator_hours;
  std::optional<Dollars> cost;  ///< at the scenario's price
  std::optional<models::FinalLoss> loss;
};

/// `law` gives the final loss.
[[nodiscard]] RunResult simulate_run(const Scenario&, const models::PowerLaw& law,
                                     Detail = Detail::folded);

}  // namespace forerun::sim
