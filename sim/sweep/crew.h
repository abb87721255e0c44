#pragma once

/// Who answers the points of a sweep: the threads of this process (thread_crew.h), or the other
/// ranks of an MPI job (rank_crew.h). Points are handed out in their order to whoever is free, and
/// results come back in any order.

#include <vector>

#include "sim/sweep/point.h"

namespace forerun::sim {

class Crew {
 public:
  virtual ~Crew() = default;
  /// Results that came since the last call: waits a moment for the first (at most about a twentieth
  /// of a second), then takes all that are there. Throws what stopped a worker.
  [[nodiscard]] virtual std::vector<PointResult> take() = 0;
  /// Nothing more is handed out; what is being answered comes still.
  virtual void stop() = 0;
  /// Whether nothing comes any more.
  [[nodiscard]] virtual bool done() const = 0;
};

}  // namespace forerun::sim
