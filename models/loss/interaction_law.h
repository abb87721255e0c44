#pragma once

/// The loss of a mixture of modalities (Aghajanyan et al. 2023, arXiv:2301.03728, equation 4). Of
/// two at equal shares, D_i and D_j their tokens,
///
///   L(N, D_i, D_j) = [L_i(N, D_i) + L_j(N, D_j)] / 2 + P_ij
///   P_ij = -C_ij + A_ij / N^alpha_ij + B_ij / (D_i + D_j)^beta_ij
///
/// L_i being modality i's own law (power_law.h). C is the most that training together can give; the
/// other two terms are the competition that parameters and tokens remove. P below zero is synergy,
/// above zero competition; P = 0 is the competition barrier, a curve in (N, D).
///
/// Two steps beyond the paper, both ASSUMED and said in every answer that uses them:
///   closure  any number of modalities at shares w_i: the mean loss is
///            sum_i w_i L_i + sum_{i<j} 4 w_i w_j P_ij, which is the law at two equal shares;
///   split    a modality's own loss is L_i + sum_j 4 s_ij w_j P_ij, s_ij + s_ji = 1; those average
///            to the closure whatever s is. Half each where a law has no "split" of the pair.
///
/// The law speaks of the ends of runs. Not modelled: which token follows which (documents of one
/// modality or of several), three-way terms, data that repeat (repetition.h), how the loss gets
/// there (trajectory.h).

#include <optional>
#include <string>
#include <vector>

#include "models/loss/power_law.h"

namespace forerun::models {

struct PairTerm {
  double synergy = 0;       ///< C
  double a = 0, alpha = 0;  ///< of parameters
  double b = 0, beta = 0;   ///< of both modalities' tokens
  double split = 0.5;       ///< share of the first modality, by alphabet
  bool operator==(const PairTerm&) const = default;
};

/// P; asserts parameters and tokens above zero. Below zero: synergy.
[[nodiscard]] double interaction(const PairTerm&, double parameters, double tokens);

/// The barrier at N parameters: the tokens of both modalities together from which on the pair gains
/// by training together. Nothing if no number of tokens does, 0 if any does.
[[nodiscard]] std::optional<double> barrier_tokens(const PairTerm&, double parameters);
/// The barrier at D tokens, likewise.
[[nodiscard]] std::optional<double> barrier_parameters(const PairTerm&, double tokens);

/// The point of the barrier that takes the fewest FLOPs, 6 N D: there
/// alpha A / N^alpha = beta B / D^beta. Nothing if C is not above zero, or a term has no slope.
struct BarrierPoint {
  double parameters = 0, tokens = 0;
};
[[nodiscard]] std::optional<BarrierPoint> cheapest_barrier(const PairTerm&);

/// A mixture's law: its modalities' own, and a term for each pair.
struct InteractionLaw {
  std::vector<std::string> modalities;  ///< by name
  std::vector<PowerLaw> own;
  std::vector<PairTerm> pairs;  ///< (0, 1), (0, 2) ... (1, 2) ...: index() finds one
  [[nodiscard]] std::size_t index(std::size_t i, std::size_t j) const;  ///< asserts i != j
  bool operator==(const InteractionLaw&) const = default;
};

/// The law of these modalities from the constants of a law of form "interaction"; every constant
/// that is not there is a problem. A law of form "power" is that of one modality, whatever its
/// name.
[[nodiscard]] InteractionLaw interaction_law(const Law&, const ConstantValues&,
                                             std::vector<std::string> modalities, Problems&);

/// What a modality ends at, and what made it.
struct ModalityLoss {
  double loss = 0;         ///< nats a token
  double alone = 0;        ///< L_i: what its own tokens alone would reach
  double interaction = 0;  ///< what the others change; below zero they help
  double floor = 0, by_parameters = 0, by_tokens = 0;  ///< of `alone`
};
struct MixtureLoss {
  double mean = 0;  ///< over the mixture's tokens
  double alone = 0;
  std::vector<ModalityLoss> modalities;
};
/// Shares sum to 1; `tokens` of each modality are what its own term and the pairs' see (after
/// repetition and the like). A modality with a share of 0 has no tokens and no say, and its loss is
/// not known (0). Asserts sizes, and tokens above zero where there is a share.
[[nodiscard]] MixtureLoss final_loss(const InteractionLaw&, double parameters,
                                     const std::vector<double>& shares,
                                     const std::vector<double>& tokens);

}  // namespace forerun::models
