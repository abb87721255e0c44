#pragma once

/// Measured times of collectives as data files of this project hold them
/// (tests/collectives/*.json): what fits and tests compare collective_time() with.

#include <optional>
#include <string>
#include <vector>

#include "core/problem.h"
#include "core/quantity.h"
#include "hw/collective.h"
#include "hw/error_summary.h"

namespace forerun::hw {

struct CollectivePoint {
  Bytes size{};
  Seconds time{};
};

/// One log: a collective of one group on one machine, over sizes.
struct CollectiveLog {
  std::string name;
  std::string network;  ///< the network profile that stands for the machine
  CollectiveKind kind = CollectiveKind::all_reduce;
  Group group;
  std::string source, licence, note;
  std::vector<CollectivePoint> points;  ///< by rising size
};

[[nodiscard]] std::optional<std::vector<CollectiveLog>> read_collective_logs(
    const std::string& json_text, Problems&);

/// Relative errors of the model, predicted / measured - 1, of a log's points on that network.
[[nodiscard]] std::vector<double> errors(const CollectiveLog&, const Network&);

}  // namespace forerun::hw
