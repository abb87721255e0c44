#pragma once

/// Splits what a trace measured into work, waiting and gaps.
///
///   work(o)  = duration                                    (alone)
///   work(o)  = end(o) - max over the group of begin(m)     (exchange: the transfer)
///   gap(o)   = begin(o) - max over o's waits of end(w)     (the host, or what the trace lacks)
///
/// Clocks of machines differ by microseconds, so either may come out below zero: it is then zero,
/// and counted.

#include <cstdint>
#include <vector>

#include "sim/replay/graph.h"
#include "sim/replay/job_trace.h"

namespace forerun::replay {

struct Work {
  std::vector<std::int64_t> durations, gaps;  ///< picoseconds, by operation
  std::int64_t negative_transfers = 0;        ///< ended before all members had begun
  std::int64_t negative_gaps = 0;             ///< began before what it waits for had ended
  std::int64_t worst = 0;                     ///< by how much, at most
};

[[nodiscard]] Work split_waiting(const JobTrace&, const ReplayGraph&);

}  // namespace forerun::replay
