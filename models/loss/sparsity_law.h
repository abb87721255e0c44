#pragma once

/// The loss by the share of experts that a token leaves idle, S = (E - K) / E (Abnar et al. 2025,
/// arXiv:2501.12370, equation 6), N all parameters, idle ones included:
///
///   L = a / N^alpha + b / D^beta + c / (1 - S)^lambda + d / ((1 - S)^delta N^gamma) + e
///
/// It explains 68 % of the variance of runs that its fit did not see: good to rank sparsities of
/// models far apart, not to predict a loss.

#include "models/loss/law.h"

namespace forerun::models {

struct SparsityLaw {
  double a = 0, alpha = 0, b = 0, beta = 0, c = 0, lambda = 0, d = 0, delta = 0, gamma = 0;
  double floor = 0;  ///< e
  bool operator==(const SparsityLaw&) const = default;
};
/// The constants of a law of form "sparsity"; each that is not there is a problem.
[[nodiscard]] SparsityLaw sparsity_law(const Law&, const ConstantValues&, Problems&);
/// Asserts 0 <= sparsity < 1.
[[nodiscard]] double final_loss(const SparsityLaw&, double total, double tokens, double sparsity);

}  // namespace forerun::models
