#pragma once

/// How large a batch may be before more of it only spends tokens.
///
/// Critical batch by the loss reached (Kaplan et al. 2020, arXiv:2001.08361, equations 5.3 to 5.5):
///
///   B_crit = B_star / L^(1 / alpha_B)  tokens
///   steps  = S_min (1 + B_crit / B)        tokens = D_min (1 + B / B_crit)
///
/// where S_min steps of any batch, or D_min tokens one by one, would do. The same trade-off follows
/// from the gradient's noise (McCandlish et al. 2018, arXiv:1812.06162, equations 2.10 and 2.11):
/// B_crit is about B_simple = tr(Sigma) / |G|^2, the variance of one sequence's gradient over the
/// square of the mean one, and the best learning rate of plain descent at batch B is
/// eta_max / (1 + B_noise / B). With Adam it grows as B^a instead, a between 0.5 and 1.
///
/// An estimate to an order of magnitude: of text losses in one tokeniser, and of batches that stay
/// the same over the run. B_crit grows as the loss falls.

#include "models/loss/law.h"

namespace forerun::models {

struct CriticalBatchLaw {
  double scale = 0;  ///< B_star, tokens
  double alpha = 0;
  bool operator==(const CriticalBatchLaw&) const = default;
};
/// The constants of a law of form "critical_batch"; each that is not there is a problem.
[[nodiscard]] CriticalBatchLaw critical_batch_law(const Law&, const ConstantValues&, Problems&);

/// Tokens, at `loss` nats a token; asserts a loss above zero.
[[nodiscard]] double critical_batch(const CriticalBatchLaw&, double loss);

/// How many times the tokens of a very small batch a batch needs: 1 + B / B_crit.
[[nodiscard]] double token_factor(double batch, double critical);
/// How many times the steps of a very large batch it needs: 1 + B_crit / B.
[[nodiscard]] double step_factor(double batch, double critical);

/// B_simple in sequences: the trace of the covariance of one sequence's gradient over the squared
/// norm of the mean gradient.
[[nodiscard]] double simple_noise_scale(double gradient_variance, double squared_gradient);
/// Of the largest useful learning rate, the share that plain descent may use at this batch.
[[nodiscard]] double learning_rate_share(double batch, double noise_scale);

}  // namespace forerun::models
