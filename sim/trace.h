#pragma once

/// A step as Chrome trace events, the JSON that Perfetto and chrome://tracing read (Google's "Trace
/// Event Format"): each rank a process, each stream a thread, each operation a complete event ("X")
/// with its shape and evidence, each message a flow arrow from send to receive, and a thread `idle`
/// that says what the compute stream waited for.
///
/// Dates are microseconds with three decimals: begin and end are cut to the nanosecond, so what
/// touches in the simulation touches in the trace, and nothing overlaps. Times under a nanosecond
/// vanish.

#include <string>
#include <utility>
#include <vector>

#include "sim/program.h"

namespace forerun::sim {

/// The trace, one event a line. `facts` (version, seed, hash of the inputs ...) go into
/// `otherData`.
[[nodiscard]] std::string chrome_trace(
    const Program&, const Execution&,
    const std::vector<std::pair<std::string, std::string>>& facts = {});

}  // namespace forerun::sim
