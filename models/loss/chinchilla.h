#pragma once

/// The final loss of a dense text decoder, from parameters and tokens alone:
///
///   L(N, D) = E + A / N^alpha + B / D^beta     (Hoffmann et al. 2022, arXiv:2203.15556)
///
/// N counts all parameters, embeddings included; D tokens seen once; L in nats a token of the
/// fit's own data and tokeniser. Constants are data (models/laws/NAME.json): the default is the
/// refit of Besiroglu et al. 2024, because Hoffmann's rounded exponents misstate losses.
///
/// Not modelled: other data or tokenisers (losses of different vocabularies don't compare),
/// learning rate and batch size off their optimum, repeated data, the course of the loss along the
/// run.

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"

namespace forerun::models {

struct ChinchillaLaw {
  std::string name;
  double floor = 0;                    ///< E
  double a = 0, alpha = 0;             ///< of parameters
  double b = 0, beta = 0;              ///< of tokens
  std::array<double, 2> parameters{};  ///< least and most that the fit saw
  std::array<double, 2> tokens{};
  std::map<std::string, Evidence> evidence;  ///< by constant: "E", "A", "B", "alpha", "beta"
  std::map<std::string, std::string> source;
  [[nodiscard]] Evidence weakest_evidence() const;
};

struct FinalLoss {
  double loss = 0;           ///< nats a token
  double by_parameters = 0;  ///< A / N^alpha: what a larger model would take away
  double by_tokens = 0;      ///< B / D^beta: what more tokens would take away
  bool inside = false;       ///< parameters and tokens lie within what the fit saw
};

/// Asserts parameters and tokens above zero.
[[nodiscard]] FinalLoss final_loss(const ChinchillaLaw&, double parameters, double tokens);

[[nodiscard]] std::optional<ChinchillaLaw> read_chinchilla(const std::string& json_text, Problems&);
/// models/laws/NAME.json. Throws Error naming the nearest if there is none.
[[nodiscard]] ChinchillaLaw load_chinchilla(const std::string& name);

}  // namespace forerun::models
