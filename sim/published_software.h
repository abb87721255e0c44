#pragma once

/// What a published row's "software" and "sharding" objects state of the run replaces the preset's
/// facts: overlap switches, graphs, gradient type, FSDP's mixed precision, compilation, offload.

#include "core/reader.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// Changes `scenario.framework` and `scenario.plan`; what it concludes rather than reads goes into
/// `scenario.assumptions`.
void apply_published_software(Reader& row, Scenario& scenario);

}  // namespace forerun::sim
