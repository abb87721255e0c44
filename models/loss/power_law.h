#pragma once

/// The final loss of one modality from parameters and tokens alone:
///
///   L(N, D) = E + A / N^alpha + B / D^beta     (Hoffmann et al. 2022, arXiv:2203.15556; per
///                                               modality Aghajanyan et al. 2023, arXiv:2301.03728)
///
/// N counts parameters as the law's file says (all, embeddings included, for Chinchilla's); D
/// tokens seen once; L in nats a token of the fit's own data and tokeniser. Never use exponents
/// rounded for print: they misstate losses by several per cent.
///
/// Not modelled: other data or tokenisers (losses of different vocabularies don't compare),
/// learning rate and batch size off their optimum, repeated data (repetition.h), the course of the
/// loss along the run (trajectory.h).

#include "models/loss/law.h"

namespace forerun::models {

struct PowerLaw {
  double floor = 0;         ///< E
  double a = 0, alpha = 0;  ///< of parameters
  double b = 0, beta = 0;   ///< of tokens
  bool operator==(const PowerLaw&) const = default;
};

/// The constants of a law of form "power", or with `of` ("text") of one modality of a law of form
/// "interaction"; each that is not there is a problem.
[[nodiscard]] PowerLaw power_law(const Law&, const ConstantValues&, std::string_view of, Problems&);

struct FinalLoss {
  double loss = 0;           ///< nats a token
  double by_parameters = 0;  ///< A / N^alpha: what a larger model would take away
  double by_tokens = 0;      ///< B / D^beta: what more tokens would take away
};

/// Asserts parameters and tokens above zero.
[[nodiscard]] FinalLoss final_loss(const PowerLaw&, double parameters, double tokens);

/// The compute-optimal parameters and tokens of `flops` = 6 N D: where alpha A / N^alpha equals
/// beta B / D^beta.
struct ComputeOptimum {
  double parameters = 0, tokens = 0, loss = 0;
};
[[nodiscard]] ComputeOptimum compute_optimum(const PowerLaw&, double flops);

}  // namespace forerun::models
