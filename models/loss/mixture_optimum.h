#pragma once

/// The size, tokens and shares of modalities that bring the least loss for a number of FLOPs:
///
///   minimise  sum_i v_i L_i(N, D_1 ... D_n)   over N and shares s,  D_i = s_i D,  6 N D = C
///
/// v are weights that the caller gives the modalities, whatever their shares. They must not be the
/// shares: that mean is least when all tokens are of the modality that is easiest to predict.
///
/// Size by golden section; shares by the rule that at the optimum one more token lowers the
/// weighted loss equally in every modality, s_i <- s_i (-dF / dD_i)^p, halving p where that fails.
/// With pair terms there may be several optima: this is the one reached from equal shares.

#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace forerun::models {

/// The loss of each modality from parameters, each one's share of the tokens trained on, and the
/// tokens of each (which may be fewer than the share says: what repeated tokens are worth).
using ModalityLosses = std::function<std::vector<double>(
    double parameters, std::span<const double> shares, std::span<const double> tokens)>;

struct MixtureProblem {
  double flops = 0;
  std::vector<double> weights;         ///< one a modality, sum above 0
  double least_share = 0.01;           ///< of each modality
  std::optional<double> parameters{};  ///< N, if that is fixed
  double precision = 2e-4;             ///< of N, relative; shares are a hundred times as precise
  double from = 1e6, to = 1e13;        ///< where N is sought
};

struct MixtureOptimum {
  double parameters = 0, tokens = 0;
  std::vector<double> shares;  ///< of tokens, sum 1
  std::vector<double> losses;
  double loss = 0;  ///< by the weights, over their sum
};
/// Asserts FLOPs above zero and that the least shares leave room.
[[nodiscard]] MixtureOptimum optimal_mixture(const MixtureProblem&, const ModalityLosses&);

}  // namespace forerun::models
