#pragma once

/// What sharing the network's links did to a step, as text for people and as JSON for programs.

#include <string>

#include "core/json_writer.h"
#include "sim/scenario.h"
#include "sim/step.h"

namespace forerun::cli {

/// "dgx-h100", or with the graph and who is beside on it.
[[nodiscard]] std::string network_text(const sim::Scenario&);
/// Exchanges alone and beside others, and the fullest links; empty with the fidelity "analytic".
[[nodiscard]] std::string contention_text(const sim::StepResult&);
/// "network", "fidelity" and "topology".
void write_network(JsonWriter&, const sim::Scenario&);
/// "contention".
void write_contention(JsonWriter&, const sim::StepResult&);

}  // namespace forerun::cli
