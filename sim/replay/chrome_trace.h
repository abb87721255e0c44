#pragma once

/// A replayed job as Chrome trace events, the JSON that Perfetto reads: each rank a process,
/// computing and exchanges on threads of their own, as many as run at once; steps one after
/// another. An exchange's event begins when the rank was ready for it, so it contains the waiting;
/// how long the transfer took is in its arguments. Dates are microseconds with three decimals.

#include <string>

#include "sim/replay/job.h"

namespace forerun::replay {

[[nodiscard]] std::string chrome_trace(const Job&, const Dates&);

}  // namespace forerun::replay
