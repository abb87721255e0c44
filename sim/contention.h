#pragma once

/// What exchanges took on links that they share, against what they take alone (fidelity "flow").

#include <cstdint>
#include <string>
#include <vector>

#include "core/quantity.h"
#include "sim/program.h"

namespace forerun::sim {

/// Exchanges of one rank that a link of the graph can slow.
struct SharedExchanges {
  std::string name;
  Category category = Category::data_exchange;
  std::int64_t times = 0, slowed = 0;  ///< how many, and how many of them took longer than alone
  Seconds alone{}, took{};             ///< all together
};

struct FilledLink {
  std::string name;
  double share = 0;  ///< of the step in which this job's bytes fill it
};

struct Contention {
  std::vector<SharedExchanges> exchanges;  ///< of the rank, those that lost most first
  std::vector<FilledLink> links;           ///< of all ranks, the fullest first
};

/// Empty where exchanges take what they take alone.
[[nodiscard]] Contention contention(const Program&, const Execution&, std::int32_t rank);

}  // namespace forerun::sim
