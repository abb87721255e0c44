#pragma once

/// The loss of 64-fold experts by their granularity, how many times narrower each is than the dense
/// model's feed-forward part (Krajewski et al. 2024, arXiv:2402.07871, equation 9):
///
///   L = c + (g / G^gamma + a) / N^alpha + b / D^beta
///
/// and of a dense model by the power law of constants of its own. A trap: which parameters N counts
/// could not be confirmed. With those that a token uses the law puts experts below a dense model of
/// equal N (3.12 against 2.80 nats at 1e9 and 66e9 tokens); with all of them above it (2.42). Here
/// N is all of them.
///
/// Not modelled: any expansion but 64, routers, more than a share G of narrow experts in use.

#include "models/loss/power_law.h"

namespace forerun::models {

struct FineGrainedLaw {
  double floor = 0;  ///< c
  double a = 0, alpha = 0, b = 0, beta = 0, g = 0, gamma = 0;
  PowerLaw dense;
  bool operator==(const FineGrainedLaw&) const = default;
};
/// The constants of a law of form "fine_grained"; each that is not there is a problem.
[[nodiscard]] FineGrainedLaw fine_grained_law(const Law&, const ConstantValues&, Problems&);
/// `total` counts all parameters, idle experts included. Asserts granularity of 1 or more.
[[nodiscard]] double final_loss(const FineGrainedLaw&, double total, double tokens,
                                double granularity);
/// How many times fewer tokens granularity `to` needs than `from` for the same loss.
[[nodiscard]] double token_saving(const FineGrainedLaw&, double total, double tokens, double from,
                                  double to);

}  // namespace forerun::models
