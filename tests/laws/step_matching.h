#pragma once

/// Published fractions of the dense model's steps (step_matching.csv) against what
/// models/loss/architecture_gain.h says, and the fit of its constants to some of them.
///
/// Fitted on: text and image of Chameleon and of Chameleon with speech, at 37M to 880M, training
/// and validation, MoT and MoE with two, three and four experts, and the same 443M on other numbers
/// of accelerators. Not fitted, and so a test: the largest size (1.5B, and 7B), speech at every
/// size, hybrids. Left out of the fit as well: experts on validation images, where expert choice
/// leaks (2.75 times the dense model's steps at 37M), which the law says it does not model.

#include <optional>
#include <string>
#include <vector>

#include "models/loss/architecture_gain.h"

namespace forerun::laws {

struct Fraction {
  std::string setting, size, modality, split, architecture, figure;
  double tokens = 0;
  double published = 0;
  models::GainInput input;
  bool fitted = false;
  double repeated = 0;  ///< of the next smaller size in the same figures; 0: none
};

/// tests/laws/step_matching.csv with what the zoo says of each model. Throws Error if it is wrong.
[[nodiscard]] std::vector<Fraction> read_fractions();

[[nodiscard]] double predicted(const models::ArchitectureGain&, const Fraction&);

/// Least sum of robust |log error| over the fitted rows, MoE of two and three experts at half
/// weight; `weights` multiplies rows' weights (a resample), `near` is where to start.
[[nodiscard]] models::ArchitectureGain fit_gain(
    const std::vector<Fraction>&, const std::vector<double>& weights,
    const std::optional<models::ArchitectureGain>& near = {});

}  // namespace forerun::laws
