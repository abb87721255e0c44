#pragma once

/// MLCommons Chakra execution traces as jobs: each file a rank, each node an operation that waits
/// for its control and data dependencies. Collectives meet by process group (`pg_name`) and order,
/// messages by `comm_src`, `comm_dst` and `comm_tag`. Traces with dates (`start_time_micros`) were
/// measured; in those without, a node takes its `duration_micros` and nothing was measured.
///
/// What forerun writes has its times to the picosecond in `begin_ps` and `duration_ps`, which go
/// before the whole microseconds. A trace is one step.

#include <optional>
#include <string>
#include <vector>

#include "core/problem.h"
#include "sim/chakra/execution_trace.h"
#include "sim/replay/job.h"

namespace forerun::replay {

struct ChakraFile {
  std::string name;
  std::int64_t rank = 0;
  chakra::ExecutionTrace trace;
};

/// Reports nodes of one number, dependencies that are not there, times that are too long, exchanges
/// without partner.
[[nodiscard]] std::optional<LinkedTrace> link_chakra(const std::vector<ChakraFile>&, Problems&);

}  // namespace forerun::replay
