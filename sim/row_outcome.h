#pragma once

/// Published rows predicted: each row's question simulated, the answer beside the measured one.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/evidence.h"
#include "core/quantity.h"
#include "sim/error_band.h"
#include "sim/published_row.h"

namespace forerun::sim {

struct RowOutcome {
  std::string id, group, family, split, framework, accelerator;
  Measured measured;
  std::optional<Seconds> step_time;  ///< predicted
  std::optional<TimeBand> band;      ///< where runs of its kind lay
  // Predicted memory, of the stage whose memory runs of the framework report.
  std::optional<Bytes> memory;      ///< counted as they count it: allocated, held or of the device
  std::optional<Bytes> peak;        ///< in use at the peak
  std::optional<Bytes> after_step;  ///< what stays
  std::optional<Bytes> reserved;    ///< of the worst stage: what allocator and context hold
  Bytes capacity{};
  std::optional<bool> fits;  ///< predicted
  /// Weakest evidence of the kernels that take most of the step, then that of the inputs:
  /// "interpolated, 81 % of kernel time; inputs assumed".
  std::string evidence;
  std::string not_scored;     ///< why its error counts nowhere
  std::string reason;         ///< why the row was not simulated; then the predictions are empty
  bool out_of_scope = false;  ///< not a kind of model that is simulated at all
  std::vector<std::string> assumptions;
  // What the choosing metrics need.
  std::string model;
  std::int64_t accelerators = 0;
  double tokens = 0;  ///< of one step
  [[nodiscard]] bool scored() const {
    return step_time && measured.step_time && not_scored.empty();
  }
  /// predicted / measured - 1.
  [[nodiscard]] double step_time_error() const { return *step_time / *measured.step_time - 1.0; }
};

/// What a row that cannot be simulated comes to.
[[nodiscard]] RowOutcome refused_outcome(const RefusedRow&);
/// Simulates one row. A row that ran out of memory is asked for its memory only.
[[nodiscard]] RowOutcome predict(const PublishedRow&, const ErrorBands&);
/// Predicts all rows on `threads` threads; the outcomes keep the rows' order whatever the number.
/// `progress`, if there is one, is told how many rows are done, from any of the threads.
[[nodiscard]] std::vector<RowOutcome> predict_rows(
    const std::vector<std::variant<PublishedRow, RefusedRow>>& rows, const ErrorBands&, int threads,
    const std::function<void(std::size_t)>& progress = {});

}  // namespace forerun::sim
