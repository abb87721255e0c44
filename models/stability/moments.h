#pragma once

/// Mean, variance and covariance between tokens of what passes forwards through one component of a
/// transformer at initialisation, and variance and covariance of the gradient that passes back:
/// the component formulas of Kedia et al. 2024 (arXiv:2403.09635), as its authors check them in
/// akhilkedia/TranformersGetStable, simulations/*.py. x is what comes in, n elements a token, L
/// tokens; any two tokens are alike in their covariance.
///
///   linear     mean 0, var = n s_w^2 (var_x + mean_x^2), cov = n s_w^2 (cov_x + mean_x^2)
///   dropout p  var = (var_x + p mean_x^2) / (1 - p), cov = cov_x
///   ReLU       mean = s / sqrt(2 pi), var = s^2 (pi - 1) / (2 pi), cov by the arc-cosine kernel
///   GELU       with a = s^2 / (1 + s^2); exact for the error-function form
///   LayerNorm  mean 0, var 1, cov = r; gradient divided by var_x
///   softmax    of L scores of variance v: mean 1/L, var = (exp((1 - r) v) - 1) / L^2
///   attention  see attention()
///
/// Assumed: weights are independent, of mean 0, and new to what passes (initialisation, not
/// training); elements are Gaussian; widths and L are large. Squared ReLU and gated activations are
/// not in the paper: they are derived here in the same way (`derived`).
///
/// Ranges (Monte Carlo, tests beside this): ReLU and GELU .2 % for variances .5 to 3; softmax 1-4 %
/// high at L = 256 and variance up to 1; attention's variance within 8 % while the score variance
/// is at most kLargestScoreVariance. Beyond, its exponential explodes where a real softmax
/// saturates (at 4 it is about 4 times too large): the value is cut at what any convex combination
/// can reach, and `clamped` says so. Attention's gradient leaves out what flows through the scores:
/// the paper's own errors are 2 % (median), 13 % (90th percentile), 45 % (99th).

#include "models/architecture.h"

namespace forerun::stability {

/// Of elements, over tokens and weights; `covariance` is that of the same element of two tokens.
struct Moments {
  double mean = 0, variance = 1, covariance = 0;
  [[nodiscard]] double correlation() const { return covariance / variance; }
  [[nodiscard]] double square() const { return variance + mean * mean; }
};

/// Of a gradient; its mean is 0.
struct Gradient {
  double variance = 1, covariance = 0;
  [[nodiscard]] double correlation() const { return covariance / variance; }
};

[[nodiscard]] Moments linear(const Moments&, double fan_in, double weight_variance);
[[nodiscard]] Gradient linear_back(const Gradient&, double fan_out, double weight_variance);

[[nodiscard]] Moments dropout(const Moments&, double rate);
[[nodiscard]] Gradient dropout_back(const Gradient&, double rate);

[[nodiscard]] Moments layer_norm(const Moments&);
/// `in` is what went into the norm.
[[nodiscard]] Gradient layer_norm_back(const Gradient&, const Moments& in);

/// Of an input of mean 0. A gated activation takes two inputs alike and independent, and gives
/// act(u) v; its gradient is the sum of what both get, for one matrix each. SiLU is taken as GELU
/// (their outputs' second moments differ by 16 % at variance 1).
[[nodiscard]] Moments activation(models::Activation, const Moments&);
[[nodiscard]] Gradient activation_back(models::Activation, const Gradient&, const Moments& in);

/// Of `keys` scores of mean 0 with the given variance and correlation.
[[nodiscard]] Moments softmax(double score_variance, double correlation, double keys);

/// One layer's attention, up to and with the value matrix, without the output matrix.
struct AttentionSetup {
  double width = 1;               ///< d: elements of the input
  double value_width = 1;         ///< of all heads together
  double tokens = 1;              ///< L: keys that a query sees
  double query_key_variance = 0;  ///< of the weights of the query and the key matrix
  double value_variance = 0;      ///< of those of the value matrix
  double dropout = 0;             ///< of the probabilities
};

inline constexpr double kLargestScoreVariance = 1.0;

struct AttentionMoments {
  Moments out;
  double formula = 0;         ///< its variance by the formula, cut or not
  double score_variance = 0;  ///< (1 - r) d q var_x of what enters the softmax, q = d var_x s_qk^4
  bool clamped = false;       ///< the formula's value was cut: out of its range
};
[[nodiscard]] AttentionMoments attention(const AttentionSetup&, const Moments& in);
/// Through the values.
[[nodiscard]] Gradient attention_back(const AttentionSetup&, const Gradient&);
/// What the published formula leaves out of the gradient's variance (its covariance is right):
/// what flows through the scores to queries and keys, with d scores = p (a - sum p a), a = g . v,
/// and the keys that most queries choose because queries are alike:
///   s_g^2 d_v s_qk^2 (1 - r) V Q [rg r e^(r z) + (e^z / L) ((1 - r) (1 + L/d) + 1 - rg r)]
///   + s_g^2 d_v s_v^2 rg (e^(r z) - 1),
/// V and Q the variances of a value and a query element, z the score variance, e^z at most L. What
/// all keys have in common cancels in the softmax. Beyond kLargestScoreVariance both are divided by
/// the scores' deviation and z is held there, which is a guess.
[[nodiscard]] double attention_back_beyond(const AttentionSetup&, const Gradient&,
                                           const Moments& in);

}  // namespace forerun::stability
