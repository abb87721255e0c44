#pragma once

/// The loss of a mixture of experts, and the dense model it is worth.
///
/// Joint law (Ludziejewski et al. 2025, arXiv:2502.05172, equations 1 and 6), N the parameters that
/// a token uses, embeddings included, D tokens, E experts of which a token uses one:
///
///   L = a Eh^delta N^(alpha + gamma ln Eh) + b Eh^omega D^(beta + zeta ln Eh) + c    nats a token
///   1 / Eh = 1 / (E - 1 + 1 / (1 / E_start - 1 / E_max)) + 1 / E_max
///
/// Routed law (Clark et al. 2022, arXiv:2202.01169, equation 1), at 130B tokens, experts in every
/// other layer, N the parameters of the dense model whose layers they replace, without embeddings:
///
///   log10 L = a log10 N + b log10 Eh + c log10 N log10 Eh + d       Eh as above
///
/// One expert saturates to E_start, not to 1: Eh(1) = E_start, so a law's dense model has Eh =
/// E_start. Logarithms of the routed law are to base 10 (its own data agree with no other).
///
/// The effective parameter count is N of the dense model (E = 1) that ends at the same loss after
/// the same tokens. Of the routed law it has a closed form and knows no tokens. Of the joint law
/// experts change what tokens bring, too: where they bring so much that no dense model, however
/// large, gets there, there is none.
///
/// Not modelled: granularity and more than one expert a token (fine_grained_law.h), shared experts,
/// routers that drop tokens, imbalance.

#include <optional>

#include "models/loss/law.h"

namespace forerun::models {

/// Eh. Asserts E of 1 or more and 1 <= e_start < e_max.
[[nodiscard]] double saturated_experts(double experts, double e_start, double e_max);

struct JointMoeLaw {
  double a = 0, alpha = 0, delta = 0, gamma = 0;  ///< of parameters; alpha is negative
  double b = 0, beta = 0, omega = 0, zeta = 0;    ///< of tokens; beta is negative
  double e_start = 0, e_max = 0;
  double floor = 0;  ///< c
  bool operator==(const JointMoeLaw&) const = default;
};
/// The constants of a law of form "joint_moe"; each that is not there is a problem.
[[nodiscard]] JointMoeLaw joint_moe_law(const Law&, const ConstantValues&, Problems&);
[[nodiscard]] double final_loss(const JointMoeLaw&, double active, double tokens, double experts);
/// Nothing where no dense model has so low a loss at these tokens.
[[nodiscard]] std::optional<double> effective_parameters(const JointMoeLaw&, double active,
                                                         double tokens, double experts);

struct RoutedLaw {
  double a = 0, b = 0, c = 0, d = 0, e_start = 0, e_max = 0;
  bool operator==(const RoutedLaw&) const = default;
};
/// The constants of a law of form "routed"; each that is not there is a problem.
[[nodiscard]] RoutedLaw routed_law(const Law&, const ConstantValues&, Problems&);
[[nodiscard]] double final_loss(const RoutedLaw&, double dense_parameters, double experts);
[[nodiscard]] double effective_parameters(const RoutedLaw&, double dense_parameters,
                                          double experts);
/// The dense size from which on more experts no longer lower the loss: 10^(-b / c). Very sensitive
/// to the digits of c: three printed ones leave it open by a factor of ten.
[[nodiscard]] double routing_cutoff(const RoutedLaw&);

}  // namespace forerun::models
