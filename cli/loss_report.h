#pragma once

/// Where a run's losses go and whether it survives, as text, JSON and a picture. Shared by `loss`,
/// `run` and `compare`.

#include <optional>
#include <string>

#include "core/json_writer.h"
#include "sim/run_loss.h"
#include "sim/scenario.h"

namespace forerun::cli {

/// What a step takes, of the scenario and of its dense twin; nothing where they do not fit.
struct StepTimes {
  std::optional<Seconds> own, dense;
  std::optional<sim::Scenario> twin;
};
[[nodiscard]] StepTimes step_times(const sim::Scenario&);

/// Ends of modalities with bands, pairs and their barrier, plateaus.
[[nodiscard]] std::string losses_text(const sim::Scenario&, const sim::RunLoss&);
/// When each modality has the loss that the dense model ends with; empty for a dense model.
[[nodiscard]] std::string gains_text(const sim::Scenario&, const sim::RunLoss&, const StepTimes&);
/// What would fail, why and which remedy.
[[nodiscard]] std::string stability_text(const sim::RunLoss&);
/// Variance and gradient by depth at initialisation.
[[nodiscard]] std::string signal_text(const sim::Scenario&, const sim::RunLoss&);
/// What could not be answered, warnings and assumptions.
[[nodiscard]] std::string loss_remarks(const sim::RunLoss&);

/// The object of the key "loss"; curves with a value a knot if `curves`.
void write_losses(JsonWriter&, const sim::Scenario&, const sim::RunLoss&, const StepTimes&,
                  bool curves);
void write_stability(JsonWriter&, const sim::RunLoss&);

/// Curves of modalities and of the mean with bands and plateaus. Throws Error without losses.
[[nodiscard]] std::string losses_svg(const sim::Scenario&, const sim::RunLoss&);

}  // namespace forerun::cli
