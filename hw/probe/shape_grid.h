#pragma once

/// Which shapes are worth timing, in what order: those of layers that are trained today, at the
/// sizes that tensor parallelism leaves, and a sweep of sizes for the surfaces between them.

#include <vector>

#include "hw/probe/measurement_file.h"

namespace forerun::hw {

/// A shape and how soon its turn comes. Round 0 holds one of everything that calibration needs;
/// later rounds fill the grids.
struct ProbeCandidate {
  ProbeShape shape;
  ProbeMode mode = ProbeMode::burst;
  int round = 0;
  bool operator==(const ProbeCandidate&) const = default;
};

/// Without duplicates, by rising round; within a round families stand together, in the order of
/// their enumeration. `accelerators`: how many a collective may span.
[[nodiscard]] std::vector<ProbeCandidate> probe_grid(int accelerators);

}  // namespace forerun::hw
