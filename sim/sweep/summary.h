#pragma once

/// What a sweep's store says in short: how many points were answered, why others were not, and the
/// best by each of what is asked of a run.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/sweep/store.h"

namespace forerun::sim {

inline constexpr double kMostGivenUp = 0.1;

struct SweepSummary {
  std::int64_t points = 0, answered = 0;
  /// Points that were answered and are among no best: of over a tenth of their runs the end was not
  /// seen (kMostGivenUp), so their days and dollars are too small.
  std::int64_t given_up = 0;
  /// Points that have no answer, by status and cause, most first.
  struct Failure {
    std::string status, cause;
    std::int64_t count = 0, example = 0;  ///< the first such point
    std::string reason;                   ///< its own
  };
  std::vector<Failure> failures;
  /// A number to be small: days, cost, loss; of sweeps without tokens the step.
  struct Objective {
    std::string metric, unit, words;
    std::vector<StoredPoint> best;  ///< least first; of equals the first
  };
  std::vector<Objective> objectives;
  std::vector<StoredMetric> metrics;  ///< of the points' values

  /// The value of a metric of a point.
  [[nodiscard]] std::optional<double> value(const StoredPoint&, const std::string& metric) const;
};

/// `most`: points that each objective lists.
[[nodiscard]] SweepSummary summarise(const std::string& store, std::size_t most);

}  // namespace forerun::sim
