#pragma once

/// Why a program does not end: for each rank that is stuck, the first operation of each stream that
/// has not ended and what it still waits for.

#include <string>
#include <vector>

#include "sim/program.h"

namespace forerun::sim {

/// `ended[rank][operation]` says what ran. One line for each stuck stream, at most `lines` of them.
[[nodiscard]] std::string explain_deadlock(const Program&,
                                           const std::vector<std::vector<bool>>& ended,
                                           int lines = 20);

}  // namespace forerun::sim
