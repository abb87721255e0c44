#pragma once

/// How a form is fitted to runs, step by step: uni-modal laws from the runs of one modality, each
/// on its own, then the pairs' terms from the runs of two, given them. The other forms are one
/// stage. Refuses what cannot identify the constants: too few runs, one size, one number of tokens.

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/loss/fit/model.h"
#include "models/loss/fit/runs.h"
#include "models/loss/law.h"

namespace forerun::models {

/// A run that could be done: the mixture's two halves get half the tokens each.
struct DesignPoint {
  double parameters = 0, tokens = 0, experts = 1;
};

struct Stage {
  std::string prefix;  ///< of its constants' names: "", "text.", "speech|text."
  std::string what;    ///< "text alone", for tables
  /// The model of its runs, given the constants of the stages before.
  std::function<std::unique_ptr<Model>(const ConstantValues&)> model;
  /// The model of runs that could be done, a block each; null for curves.
  std::function<std::unique_ptr<Model>(const ConstantValues&, const std::vector<DesignPoint>&)> at;
  std::vector<std::string> terms;   ///< which run, and which of its losses, each term is
  std::vector<std::size_t> blocks;  ///< the runs it uses, by their place among all
  /// Ranges and values of its runs, from which runs that could be done are made.
  std::vector<double> sizes, tokens, experts;
};

struct Stages {
  std::vector<Stage> stages;
  std::size_t blocks = 0;  ///< runs, or curves, in all
  std::map<std::string, std::array<double, 2>, std::less<>> domain;
  std::vector<std::string> caveats;
};

/// The forms that can be fitted, the first without asking.
inline constexpr std::array<std::string_view, 5> kFittedForms = {"power", "interaction", "routed",
                                                                 "joint_moe", "multi_power"};

/// `form` is one of kFittedForms; `loss` names the validation set where runs have several ("":
/// the only one).
[[nodiscard]] Stages stages_of(const std::string& form, const std::string& loss, const RunTable&,
                               Problems&);

/// Terms of one curve at most.
inline constexpr std::size_t kMostCurveTerms = 60;

}  // namespace forerun::models
