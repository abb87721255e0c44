#pragma once

/// Published rules for the peak learning rate and the batch, side by side: models/laws/rule_*.json,
/// each a law of form "training_rule":
///
///   eta   = eta_K N^eta_N D^eta_D C^eta_C E^eta_E + eta_ln_N ln N
///   batch = batch_K N^batch_N D^batch_D C^batch_C        tokens
///
/// where an exponent that a rule does not have is 0. N are the parameters that a token uses,
/// without embeddings; D tokens; C training FLOPs; E experts. What each rule was fitted on, how it
/// counts, and where a copy of it is misprinted its file says.
///
/// A constant's interval is that of the fit with all constants free, and factors and exponents go
/// together: drawn apart, a rule would be unsure by ten times inside its own data. So exponents are
/// drawn, and the rule stands fast at the geometric middle of its domain. The factors' spread that
/// this makes for the Step law, 0.4 to 0.7 in the logarithm, is that of its own bootstrap.
///
/// Not modelled: other optimisers than Adam, schedules, weight decay, muP. Rules disagree by
/// factors of five; which holds for more than text nobody has published.

#include <optional>
#include <string>
#include <vector>

#include "models/loss/law.h"

namespace forerun::models {

struct RuleInputs {
  double parameters = 0;  ///< N
  double tokens = 0, flops = 0, experts = 1;
};

/// Of a rule; nothing where it has none, or lacks a constant, or leaves the positive numbers.
struct RuleAnswer {
  std::optional<double> learning_rate, batch_tokens;
  std::vector<std::string> why_not;  ///< of a learning rate that is not there
  std::vector<std::string> outside;  ///< of its domain
};
[[nodiscard]] RuleAnswer apply_rule(const Law& rule, const RuleInputs&);
/// As draw `index` of its exponents would have it, about the middle of its domain; the central
/// answer for a rule without intervals.
[[nodiscard]] RuleAnswer draw_rule(const Law& rule, const RuleInputs&, std::uint64_t seed,
                                   std::uint64_t index);
/// Whether draws of it differ.
[[nodiscard]] bool has_spread(const Law& rule);

/// All of models/laws/rule_*.json, by name.
[[nodiscard]] std::vector<Law> training_rules();

}  // namespace forerun::models
