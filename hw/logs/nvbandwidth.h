#pragma once

/// What nvbandwidth's text and JSON have in common: a test is a matrix of bandwidths with its sum.

#include <optional>
#include <string>
#include <vector>

#include "core/problem.h"
#include "hw/logs/tool_log.h"

namespace forerun::hw {

struct BandwidthTest {
  std::string where;              ///< line or pointer
  std::string name;               ///< "device_to_device_memcpy_read_ce"
  std::string description;        ///< "memcpy CE GPU(row) -> GPU(column) bandwidth (GB/s)"
  std::vector<double> gigabytes;  ///< the cells that are measured, row by row
  std::optional<double> sum;
};

/// The median over the matrix where one copy at a time ran in one direction; else a note that says
/// why nothing is taken. A cell that is not above zero and a sum that is not the cells' are
/// problems.
void take_bandwidth_test(const BandwidthTest&, ToolLog&, Problems&);

}  // namespace forerun::hw
