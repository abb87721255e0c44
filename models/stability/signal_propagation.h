#pragma once

/// Variance and correlation of the residual stream, and variance of the gradient, layer by layer
/// through a transformer at initialisation: the component formulas of moments.h composed, two
/// residual blocks (attention, feed-forward) a layer:
///
///   pre-norm   x + f(LN x)      variance grows linearly; gradients fall like 1 / sqrt(depth)
///   post-norm  LN(x + f(x))     variance 1; gradients grow from layer to layer, geometrically
///   swin       x + LN(f(x))     Chameleon 34B, OLMo 2: each block adds 1
///   both       x + LN(f(LN x))  Gemma 2
///
/// and, with DeepScaleLM (Kedia et al. 2024), lambda x + beta f(.), lambda^2 = 1 - beta^2, beta^2 =
/// 2 / B with B residual blocks, which keeps variance 1 at any depth. Dropout acts on f's result.
///
/// Assumed: what moments.h assumes; f's result is uncorrelated with x (new weights of mean 0);
/// every query sees `tokens` keys (a causal one sees half on the mean); norms without learned
/// gains; the gradient enters at the top with variance 1 and the given correlation between tokens
/// (`assumed`; the slopes below hardly depend on it, unless it is 0). Not modelled: training
/// (weights that have learned), towers and experts (a token's path is one tower or expert of the
/// dense shape), grouped or latent attention (as many heads as queries), rotary positions,
/// QK-norm's effect on scores (scores are then of variance about 1 at most).

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/architecture.h"
#include "models/stability/initialisation.h"
#include "models/stability/moments.h"

namespace forerun::stability {

enum class ResidualOrder : std::uint8_t { pre_norm, post_norm, swin, both };

inline constexpr std::array<Choice<ResidualOrder>, 4> kResidualOrders{{
    {"pre_norm", ResidualOrder::pre_norm},
    {"post_norm", ResidualOrder::post_norm},
    {"swin", ResidualOrder::swin},
    {"both", ResidualOrder::both},
}};
[[nodiscard]] inline std::string_view name(ResidualOrder o) { return name_in(kResidualOrders, o); }
/// An architecture's; the zoo has no post-norm model.
[[nodiscard]] ResidualOrder residual_order(models::NormOrder);

struct SignalSetup {
  std::int64_t layers = 1, hidden = 1, heads = 1, ffn = 1;
  double tokens = 1;  ///< keys a query sees
  models::Activation activation = models::Activation::relu;
  ResidualOrder order = ResidualOrder::pre_norm;
  models::Initialisation initialisation = models::Initialisation::xavier;
  double dropout = 0, attention_dropout = 0;
  double keep_squared = 1;   ///< lambda^2
  double block_squared = 1;  ///< beta^2
  double input_variance = 1, input_correlation = 0.221;
  double gradient_correlation = 0.2;  ///< between tokens, of the gradient at the top
};
/// `setup` with DeepScaleLM's lambda, beta and initialisation.
[[nodiscard]] SignalSetup deep_scale(SignalSetup);
[[nodiscard]] SignalSetup signal_setup(const models::Architecture&, models::Initialisation,
                                       double tokens);

/// Of the residual stream as it leaves a layer, and of the gradient as it enters that layer from
/// above.
struct LayerSignal {
  double variance = 0, correlation = 0;
  double gradient_variance = 0, gradient_correlation = 0;
  /// Square of the norm of a matrix's gradient at the layer's input, a token: the tokens' sum picks
  /// up what their gradients have in common, variance + (tokens - 1) r covariance.
  double weight_gradient = 0;
  double score_variance = 0;  ///< of attention
  bool clamped = false;       ///< attention's formula was out of its range
};

struct SignalPropagation {
  std::vector<LayerSignal> layers;    ///< from the input's side
  double input_gradient = 0;          ///< gradient variance that reaches the embedding
  std::vector<std::string> warnings;  ///< which layers left which range

  /// Least-squares slope of variance over depth, per layer.
  [[nodiscard]] double variance_growth() const;
  /// Geometric mean, from layer to layer upwards, of the norm of matrices' gradients, without the
  /// first and the last tenth of the layers: above 1 the first layers get the smaller gradients.
  [[nodiscard]] double gradient_ratio() const;
};

/// Asserts a setup with positive sizes, rates in [0, 1) and correlations in [0, 1).
[[nodiscard]] SignalPropagation propagate(const SignalSetup&);

}  // namespace forerun::stability
