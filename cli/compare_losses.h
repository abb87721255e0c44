#pragma once

/// Losses and stability of several runs side by side.

#include <string>
#include <vector>

#include "sim/run_loss.h"

namespace forerun::cli {

/// A column a run, empty where it has no answer; empty if none has any.
[[nodiscard]] std::string losses_table(const std::vector<std::string>& names,
                                       const std::vector<sim::RunLoss>&);

}  // namespace forerun::cli
