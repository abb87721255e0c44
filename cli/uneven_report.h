#pragma once

/// What differs inside a step, as text for people and as JSON for programs: modalities, routed
/// experts, and what their unevenness costs.

#include <string>

#include "core/json_writer.h"
#include "sim/imbalance.h"
#include "sim/step.h"

namespace forerun::cli {

/// How uneven experts and compositions were, what waiting for one another took and what all of it
/// costs; empty where nothing differs. `step`: that the cost is of.
[[nodiscard]] std::string imbalance_text(const sim::StepResult&, const sim::ImbalanceCost&,
                                         Seconds step);
/// Tokens and own kernels of each modality; empty where nothing tells them apart.
[[nodiscard]] std::string modalities_text(const sim::StepResult&);
/// Tokens, kernels and waiting of routed experts; empty where there are none.
[[nodiscard]] std::string experts_text(const sim::StepResult&);

/// "imbalance", "modalities" and "experts".
void write_uneven(JsonWriter&, const sim::StepResult&);
/// "imbalance_cost_s".
void write_cost(JsonWriter&, const sim::ImbalanceCost&);

}  // namespace forerun::cli
