#pragma once

/// What a sweep found, as text and JSON, and how far it is.

#include <cstdint>
#include <string>

#include "core/json_writer.h"
#include "sim/sweep/summary.h"
#include "sim/sweep/sweep.h"

namespace forerun::cli {

/// Points answered and not, with the reasons, and the best by each objective.
[[nodiscard]] std::string sweep_text(const sim::Sweep&, const sim::SweepSummary&,
                                     const std::string& store);
void write_sweep(JsonWriter&, const sim::Sweep&, const sim::SweepSummary&,
                 const std::string& store);

/// "412 of 10,000 points, 83.1/s, 1.9 min left" on standard error: on a terminal in one line that
/// changes, else a line every half minute.
class SweepProgress {
 public:
  /// `stored`: before it begins.
  SweepProgress(std::int64_t points, std::int64_t stored);
  ~SweepProgress();
  SweepProgress(const SweepProgress&) = delete;
  SweepProgress& operator=(const SweepProgress&) = delete;
  void operator()(std::int64_t stored);

 private:
  double begin_, last_;
  std::int64_t points_, first_, shown_ = -1;
  bool terminal_;
};

}  // namespace forerun::cli
