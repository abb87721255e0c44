#pragma once

/// A plan for people and for programs.

#include <string>

#include "core/json_writer.h"
#include "hw/probe/plan.h"

namespace forerun::hw {

/// Shapes and estimated time by round and family, what is left out and why; with `every_shape` a
/// line for each. Says that nothing was measured.
[[nodiscard]] std::string plan_text(const ProbePlan&, const ProbeMachine&, Seconds budget,
                                    bool every_shape);
void write_plan(JsonWriter&, const ProbePlan&, const ProbeMachine&, Seconds budget);

}  // namespace forerun::hw
