#pragma once

/// What a scenario says of its micro-batches' modalities: fixed shares, a mixture to draw from, or
/// a recording. Parts of read_scenario and check_scenario.

#include "core/problem.h"
#include "core/reader.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// Reads `modality_shares`, `mixture` and `mean_compositions`, where given; the model and the plan
/// are read before.
void read_modalities(Reader& top, Scenario&);
/// A model with towers or groups of experts must know whose each token is; a recording must fill
/// the plan's micro-batches.
void check_modalities(const Scenario&, Problems&);
/// Adds to the scenario's assumptions that a recording is an assumed one, or shorter than a step.
void assume_recorded(Scenario&);

}  // namespace forerun::sim
