#pragma once

/// What a fit says of every constant of every profile and preset, and writing it into their files.

#include <string>
#include <vector>

#include "fit.h"

namespace forerun::published {

struct FittedFact {
  std::size_t constant = 0;
  std::string subject;
  double start = 0, value = 0;
  /// "fitted" on three or more groups of its own; "derived" from the accelerator or framework whose
  /// value it shares; else the start value's own.
  std::string evidence;
  std::string source;
  std::string rests_on;  ///< for people
};

/// In the catalogue's order: by constant, then by subject.
[[nodiscard]] std::vector<FittedFact> fitted_facts(Predictor&, const Fit&);

/// Changes hw/profiles/accelerators/*.json and sim/frameworks/*.json: values, evidence and sources
/// of the constants, nothing else.
void write_facts(const Catalogue&, const std::vector<FittedFact>&);

[[nodiscard]] std::string cross_validation_json(const CrossValidation&);

}  // namespace forerun::published
