#pragma once

/// Which input's uncertainty moves a decision most: each uncertain input alone is put to its low
/// and to its high end, and the finalists are decided among again.
///
///   step times     the band of published runs nearest to each kind of accelerator and framework
///                  (sim/error_band.h); finalists with one band move together
///   networks       bandwidth out of the domain, by an assumed share; steps are simulated again
///   failures       all rates of a reliability profile together, to the ends of their ranges
///   prices         of each kind of accelerator, by an assumed share
///   laws           where losses matter to the question: a law fitted as a whole, whose constants
///                  hang together, to the draws that are worst and best for the winner but for one
///                  in ten; of others every constant with a spread, to its ends (a standard error:
///                  1.645 of them)
///
/// Plans stay what they are. Inputs are moved one at a time: what two of them do together is not
/// asked.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/evidence.h"
#include "sim/planner/decision.h"

namespace forerun::sim {

/// Assumed: list prices of one accelerator differ by a quarter between providers of one month, and
/// published bandwidths are reached to within a fifth.
struct UncertainShares {
  double price = 0.25, network = 0.2;
};

struct SensitivityRow {
  std::string input;      ///< "price of h100-sxm-80gb"
  std::string low, high;  ///< its ends, for people
  Evidence evidence = Evidence::assumed;
  /// The goal's number of the decision's winner at both ends; nothing where it leaves the running.
  std::optional<double> at_low, at_high;
  std::size_t winner_at_low = 0, winner_at_high = 0;  ///< Decision::points
  double swing = 0;  ///< |high - low| of the winner over its own number; 1 where it drops out
  [[nodiscard]] bool changes(std::size_t winner) const {
    return winner_at_low != winner || winner_at_high != winner;
  }
};

/// Largest swing first, those that change the winner before others. Empty without a ranking.
[[nodiscard]] std::vector<SensitivityRow> sensitivity(const DecisionQuestion&, const Decision&,
                                                      const UncertainShares&);

}  // namespace forerun::sim
