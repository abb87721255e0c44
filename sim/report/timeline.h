#pragma once

/// A step as a picture of who did what when: a row for each pipeline stage of one lane, its compute
/// stream as passes, what made it idle, and under it, thin, its exchanges, hidden or not.

#include <cstdint>
#include <vector>

#include "core/gantt.h"
#include "sim/program.h"

namespace forerun::sim::report {

/// What the colours of the compute stream stand for, in the order of a legend.
struct TimelineKey {
  const char* words;
  std::size_t colour;
};

struct Timeline {
  GanttChart chart;               ///< the whole step, in seconds or milliseconds
  std::vector<TimelineKey> keys;  ///< of what occurs
  std::size_t left_out = 0;       ///< rows that are not drawn, for want of room
};

/// Stages of the lane that `rank` is in, of `stages` a lane; where there is one stage, the lanes.
/// At most `most` rows, evenly chosen, the first and the last among them.
[[nodiscard]] Timeline timeline(const Program&, const Execution&, std::int64_t rank,
                                std::size_t stages, std::size_t most);

}  // namespace forerun::sim::report
