#pragma once

/// Runs made of a known interaction law, and how often a fit of them holds the truth.

#include <cstdint>
#include <map>
#include <string>

#include "models/loss/fit/runs.h"
#include "models/loss/law.h"

namespace forerun::models {

/// A law of two modalities of the size of the published ones: exponents of text and speech of
/// Aghajanyan et al. 2023, Table 1; the other constants are made up.
[[nodiscard]] ConstantValues made_law();

/// Each modality alone and both together at seven sizes from 8M to 6.7B and six numbers of tokens
/// from 1B to 300B, 126 runs; losses off by `noise` (relative, normal).
[[nodiscard]] RunTable made_runs(const ConstantValues&, double noise, std::uint64_t seed);

struct Coverage {
  int repetitions = 0;
  std::map<std::string, int> held;  ///< by constant
  [[nodiscard]] double inside() const;
  [[nodiscard]] std::string text() const;
};
[[nodiscard]] Coverage pair_coverage(int repetitions, std::int64_t bootstrap, std::uint64_t seed);

}  // namespace forerun::models
