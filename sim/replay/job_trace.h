#pragma once

/// What a profiler recorded of a training job, whatever the file: operations with the rank that ran
/// them, when, and for how long. Times are picoseconds since the earliest operation of the step.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace forerun::replay {

/// What the operations of one kind do. An exchange's duration contains waiting for other ranks.
struct OperationKind {
  std::string name;       ///< "forward-compute", or a kernel's name
  bool exchange = false;  ///< between ranks
  bool operator==(const OperationKind&) const = default;
};

struct TracedOperation {
  std::int64_t begin = 0, duration = 0;
  std::int32_t step = 0, rank = 0, kind = 0;  ///< indices into the trace's lists
  std::int32_t sequence = 0;                  ///< among those of its kind, rank and step
  std::int32_t micro_batch = -1;
  [[nodiscard]] std::int64_t end() const { return begin + duration; }
};

/// A rank of the trace: all accelerators of one pipeline stage of one data-parallel replica where
/// those are told (-1 where they are not), else one accelerator.
struct TracedRank {
  std::string name;
  std::int32_t data = -1, stage = -1;
};

struct JobTrace {
  std::string format;  ///< "table of operations", "Kineto", "Chakra"
  std::vector<OperationKind> kinds;
  std::vector<TracedRank> ranks;
  std::vector<std::int64_t> steps;  ///< their numbers, ascending
  std::vector<TracedOperation> operations;
  bool dated = true;  ///< false: the file has durations but no dates, so nothing was measured
  std::vector<std::string> notes;  ///< what was taken for granted or left out, for people
};

/// Measured length of each step: its last end, its first begin being zero.
[[nodiscard]] std::vector<std::int64_t> measured_steps(const JobTrace&);

/// "backward-compute 3 of data 1, stage 0 in step 23".
[[nodiscard]] std::string describe(const JobTrace&, std::int32_t operation);

/// The operations that a circle goes through, from the first back to it; long ones are cut.
[[nodiscard]] std::string describe_cycle(const JobTrace&, const std::vector<std::int32_t>& cycle);

}  // namespace forerun::replay
