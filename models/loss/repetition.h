#pragma once

/// What tokens and parameters are worth when data repeat (Muennighoff et al. 2023,
/// arXiv:2305.16264, equations 5 and 6). Of D tokens trained on, U_D are unique, each seen
/// R_D + 1 = D / U_D times:
///
///   D' = U_D (1 + R*_D (1 - exp(-R_D / R*_D)))        L = E + A / N'^alpha + B / D'^beta
///   N' = U_N (1 + R*_N (1 - exp(-R_N / R*_N)))        R_N = N / U_N - 1
///
/// U_N = min(N, the compute-optimal parameters of U_D tokens). One more token after R_D repeats is
/// worth exp(-R_D / R*_D) of a new one, and all repeats together never more than R*_D U_D tokens.
///
/// R*_D was fitted on one corpus of English text. That it holds for images or speech, and for each
/// modality of a mixture on its own, is assumed wherever this is used for them.

#include <optional>

#include "models/loss/power_law.h"

namespace forerun::models {

struct RepetitionLaw {
  PowerLaw power;         ///< of D' and N'
  double tokens = 0;      ///< R*_D
  double parameters = 0;  ///< R*_N
  bool operator==(const RepetitionLaw&) const = default;
};
/// The constants of a law of form "repetition"; each that is not there is a problem.
[[nodiscard]] RepetitionLaw repetition_law(const Law&, const ConstantValues&, Problems&);

/// D' of `tokens` trained on, `unique` of them different; `tokens` itself while there are no more.
/// Asserts unique tokens and a decay above zero.
[[nodiscard]] double effective_tokens(double tokens, double unique, double decay);
/// dD' / dD: the worth of one more token, against a new one.
[[nodiscard]] double marginal_worth(double tokens, double unique, double decay);
/// How many tokens make `effective` of them; none if no number does.
[[nodiscard]] std::optional<double> tokens_for(double effective, double unique, double decay);

/// The parameters for which `tokens` are compute-optimal: alpha A / N^alpha = beta B / D^beta.
[[nodiscard]] double optimal_parameters(const PowerLaw&, double tokens);
/// N'. Below N also where nothing repeats, if N is over what the unique tokens are optimal for.
[[nodiscard]] double effective_parameters(const RepetitionLaw&, double parameters, double tokens,
                                          double unique);
[[nodiscard]] FinalLoss final_loss(const RepetitionLaw&, double parameters, double tokens,
                                   double unique);

}  // namespace forerun::models
