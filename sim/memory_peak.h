#pragma once

/// The peak of a step's memory without what explains it: for searches that ask it of every plan.
/// The same walk as step_memory (sim/memory.h), and the same numbers.

#include "sim/layout.h"
#include "sim/scenario.h"
#include "sim/variation.h"

namespace forerun::sim {

/// Of the stage with the least left, or the most too much.
struct MemoryPeak {
  Bytes reserved{}, capacity{};
  [[nodiscard]] bool fits() const { return reserved <= capacity; }
};
[[nodiscard]] MemoryPeak memory_peak(const Scenario&, const Layout&, const Variation&);

}  // namespace forerun::sim
