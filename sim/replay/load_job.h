#pragma once

/// A job from the files that its traces lie in: one table of operations (table_trace.h), or one
/// file a rank of Kineto (kineto_trace.h) or Chakra, binary or JSON (chakra_job.h). A folder stands
/// for the files in it, in the order of their names, but for those that begin with a dot.

#include <cstdint>
#include <string>
#include <vector>

#include "sim/replay/job.h"

namespace forerun::replay {

/// Bytes of all files together, unpacked.
inline constexpr std::uint64_t kMostTraceBytesTogether = 2ull << 30;

/// Throws Error with every problem of the files, each with its place.
[[nodiscard]] Job load_job(const std::vector<std::string>& paths);

}  // namespace forerun::replay
