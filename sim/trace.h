#pragma once

/// A step as Chrome trace events, the JSON that Perfetto and chrome://tracing read (Google's "Trace
/// Event Format"): each rank a process, each stream a thread, each operation a complete event ("X")
/// with its shape and evidence, each message a flow arrow from send to receive, and a thread `idle`
/// that says what the compute stream waited for. Kernels of routed experts say how many copies of
/// tokens they work on and how many times the fair share that is, kernels of a modality's own
/// weights whose. `imbalance` among the idle is waiting for the same stage of another lane. Where
/// experts are uneven, kernel by kernel, one thread more has an `imbalance` of the ranks of the
/// group that are not the busiest: on the mean, taking a kernel's time as proportional to its rows.
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
