#pragma once

/// Where the inputs of a scenario came from: every fact of its model, accelerator, network and
/// framework with its evidence and source. An answer inherits the weakest of them.

#include <array>
#include <string>
#include <vector>

#include "core/evidence.h"
#include "sim/scenario.h"

namespace forerun::sim {

struct InputFact {
  std::string owner;  ///< "framework nanotron", "network dgx-h100" ...
  std::string fact;   ///< the field's name
  Evidence evidence = Evidence::assumed;
  std::string source;
};

struct Provenance {
  std::vector<InputFact> facts;               ///< by owner, then name
  std::array<std::int64_t, 5> by_evidence{};  ///< how many of each Evidence
  Evidence weakest = Evidence::measured;
};

[[nodiscard]] Provenance provenance(const Scenario&);

}  // namespace forerun::sim
