#pragma once

/// A whole training run from one step: so many equal steps, one after another, and those that
/// rollbacks of diverging losses make it do again. Days, accelerator-hours, list price.
///
/// Not modelled: failures, checkpoints and the time to come back from one, evaluations, warm-up,
/// data loading, a batch ramp's cheaper steps, changes of sequence along the run. The duration is
/// what a run takes that only its own loss disturbs.

#include <optional>

#include "core/quantity.h"
#include "sim/run_loss.h"
#include "sim/step.h"

namespace forerun::sim {

struct RunResult {
  StepResult step;
  double tokens_per_step = 0;
  double parameters = 0;         ///< of the model, embeddings included
  double tokens_per_second = 0;  ///< of the whole cluster
  // Nothing unless the scenario says how many tokens are trained.
  std::optional<double> steps;  ///< whole steps that the tokens take
  double redone_steps = 0;      ///< that rollbacks throw away, in the median run
  std::optional<Seconds> duration;
  std::optional<double> accelerator_hours;
  std::optional<Dollars> cost;  ///< at the scenario's price
};

/// What all accelerators cost for that time; nothing unless all of them have a price.
[[nodiscard]] std::optional<Dollars> list_price(const Scenario&, Seconds);

/// `rolled_back`: what the stability of its loss adds (run_loss.h); nothing if it is not known.
[[nodiscard]] RunResult simulate_run(const Scenario&, const std::optional<Rollbacks>& rolled_back,
                                     Detail = Detail::folded);

}  // namespace forerun::sim
