#pragma once

/// PyTorch's profiler (Kineto), one JSON file a rank: what ran on the accelerator, by stream. Host
/// operations are not replayed; their effect is in the gaps before kernels.
///
/// - Steps are those of `ProfilerStep#N` (torch.profiler.profile(schedule=...) with step()):
///   kernels are of the step in which they were launched. What was launched outside is left out,
///   and counted. Without such marks all is one step.
/// - A stream runs its operations in the traced order. Where the file has `Stream Wait Event`s
///   (cuda_sync) those say what waits for another stream. Where it has none, an operation that
///   begins within 20 us after the end of one on another stream of its rank, with its own stream
///   idle before, is taken to have waited for it.
/// - Collectives meet by process group and order within step and group; messages by process group,
///   source, destination and order. Kernels of NCCL without a process group (before PyTorch 2.2),
///   or whose peers' files are not given, stand alone: their waiting then counts as transfer.
/// - Clocks of hosts differ: each rank's is shifted so that the median end of shared collectives
///   agrees with a rank that was shifted before.

#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"
#include "sim/replay/job.h"

namespace forerun::replay {

struct TraceFile {
  std::string name, text;
};

/// Whether the beginning of the text looks like such a file.
[[nodiscard]] bool is_kineto_trace(std::string_view text);

/// Reports two files of one rank, a collective that a rank of a group lacks, wrong fields by event.
[[nodiscard]] std::optional<LinkedTrace> read_kineto_traces(const std::vector<TraceFile>&,
                                                            Problems&);

}  // namespace forerun::replay
