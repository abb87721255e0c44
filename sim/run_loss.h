#pragma once

/// A scenario's losses, its stability, and what rollbacks cost it, with the hours and dollars that
/// steps of the simulator make of them. What `forerun loss` and `forerun run` both show.

#include <optional>
#include <string>
#include <vector>

#include "core/statistics.h"
#include "models/loss/mixture_run.h"
#include "models/stability/signal_propagation.h"
#include "models/stability/stability_report.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// Steps that rollbacks throw away (batches that are skipped cost data, not steps), over draws of
/// all constants of stability and of the spikes themselves (stream "rollback/DRAW"; of runs with
/// tens of thousands of spikes the expected number, evenly spread).
struct Rollback {
  double at = 0, to = 0;  ///< steps
  bool operator==(const Rollback&) const = default;
};
struct Rollbacks {
  double count = 0;  ///< mean
  double steps_median = 0;
  Interval steps;                            ///< 10th to 90th percentile
  std::vector<std::vector<Rollback>> draws;  ///< each draw's, by rising step
};
[[nodiscard]] Rollbacks rollbacks(const stability::StabilityCase&, std::uint64_t seed,
                                  std::int64_t draws = 200);

struct RunLoss {
  std::optional<models::Law> law;               ///< none: the mixture's law is not known
  std::optional<models::MixtureAnswer> losses;  ///< nothing without a law
  std::optional<stability::StabilityReport> stability;
  std::optional<Rollbacks> rolled_back;
  /// By depth at initialisation; nothing for models that are not decoders of one kind of layer.
  std::optional<stability::SignalPropagation> signal;
  std::vector<std::string> unanswered;  ///< what was not, and what is missing for it
  std::vector<std::string> notes;
  /// Fraction of the dense model's steps, by modality; empty for a dense model.
  struct Gain {
    std::string modality;
    double training = 1, validation = 1;
    Interval band;  ///< of training: 10th to 90th percentile over the law's draws
  };
  std::vector<Gain> gains;
};
/// Every problem that keeps the losses from being known although a law was named is in `problems`.
[[nodiscard]] RunLoss run_loss(const Scenario&, std::int64_t draws, int threads, Problems&);

/// The dense model of equal FLOPs under the same plan: no towers, no experts. Nothing if the model
/// is dense.
[[nodiscard]] std::optional<Scenario> dense_twin(const Scenario&);

}  // namespace forerun::sim
