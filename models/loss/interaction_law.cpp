#include "models/loss/interaction_law.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace forerun::models {
namespace {

PairTerm pair_term(const Law& law, const ConstantValues& values, const std::string& pair,
                   Problems& problems) {
  const auto get = [&](const char* name) {
    return required(law, values, fmt::format("{}.{}", pair, name), problems);
  };
  PairTerm term{get("C"), get("A"), get("alpha"), get("B"), get("beta"), 0.5};
  if (const auto it = values.find(pair + ".split"); it != values.end()) term.split = it->second;
  return term;
}

/// x with a / x^power = `left`: 0 if any x has less, nothing if none has.
std::optional<double> where_term_is(double a, double power, double left) {
  if (a == 0) return left >= 0 ? std::optional(0.0) : std::nullopt;
  if (power == 0) return left >= a ? std::optional(0.0) : std::nullopt;
  if (left <= 0) return std::nullopt;
  return std::pow(a / left, 1.0 / power);
}

}  // namespace

double interaction(const PairTerm& p, double parameters, double tokens) {
  FORERUN_ASSERT(parameters > 0 && tokens > 0,
                 fmt::format("{} parameters, {} tokens", parameters, tokens));
  return -p.synergy + p.a / std::pow(parameters, p.alpha) + p.b / std::pow(tokens, p.beta);
}

std::optional<double> barrier_tokens(const PairTerm& p, double parameters) {
  return where_term_is(p.b, p.beta, p.synergy - p.a / std::pow(parameters, p.alpha));
}

std::optional<double> barrier_parameters(const PairTerm& p, double tokens) {
  return where_term_is(p.a, p.alpha, p.synergy - p.b / std::pow(tokens, p.beta));
}

std::optional<BarrierPoint> cheapest_barrier(const PairTerm& p) {
  if (p.synergy <= 0 || p.a <= 0 || p.b <= 0 || p.alpha <= 0 || p.beta <= 0) return std::nullopt;
  // Minimise N D where A / N^alpha + B / D^beta = C: the terms are C beta and C alpha over their
  // sum.
  const double by_parameters = p.synergy * p.beta / (p.alpha + p.beta);
  return BarrierPoint{std::pow(p.a / by_parameters, 1.0 / p.alpha),
                      std::pow(p.b / (p.synergy - by_parameters), 1.0 / p.beta)};
}

std::size_t InteractionLaw::index(std::size_t i, std::size_t j) const {
  FORERUN_ASSERT(i != j && i < modalities.size() && j < modalities.size(), "no such pair");
  if (i > j) std::swap(i, j);
  return i * modalities.size() - i * (i + 1) / 2 + (j - i - 1);
}

InteractionLaw interaction_law(const Law& law, const ConstantValues& values,
                               std::vector<std::string> modalities, Problems& problems) {
  FORERUN_ASSERT(law.form == "interaction" || law.form == "power",
                 fmt::format("law {} of form {}", law.name, law.form));
  InteractionLaw out;
  std::ranges::sort(modalities);
  out.modalities = std::move(modalities);
  const std::size_t n = out.modalities.size();
  if (law.form == "power") {
    if (n > 1) {
      problems.add(fmt::format("law {}", law.name),
                   fmt::format("speaks of one modality, the mixture has {}: {}", n,
                               fmt::join(out.modalities, ", ")));
    }
    out.own.assign(n, power_law(law, values, "", problems));
    out.pairs.resize(n * (n - 1) / 2);
    return out;
  }
  for (const std::string& name : out.modalities) {
    out.own.push_back(power_law(law, values, name, problems));
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      const std::string pair = pair_name(out.modalities[i], out.modalities[j]);
      out.pairs.push_back(pair_term(law, values, pair, problems));
    }
  }
  return out;
}

MixtureLoss final_loss(const InteractionLaw& law, double parameters,
                       const std::vector<double>& shares, const std::vector<double>& tokens) {
  const std::size_t n = law.modalities.size();
  FORERUN_ASSERT(
      shares.size() == n && tokens.size() == n,
      fmt::format("{} modalities, {} shares, {} tokens", n, shares.size(), tokens.size()));
  MixtureLoss out;
  out.modalities.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    if (shares[i] <= 0) continue;
    const FinalLoss own = final_loss(law.own[i], parameters, tokens[i]);
    ModalityLoss& m = out.modalities[i];
    m.alone = own.loss;
    m.floor = law.own[i].floor;
    m.by_parameters = own.by_parameters;
    m.by_tokens = own.by_tokens;
    out.alone += shares[i] * m.alone;
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      if (shares[i] <= 0 || shares[j] <= 0) continue;
      const PairTerm& term = law.pairs[law.index(i, j)];
      const double p = 4.0 * interaction(term, parameters, tokens[i] + tokens[j]);
      out.modalities[i].interaction += p * term.split * shares[j];
      out.modalities[j].interaction += p * (1.0 - term.split) * shares[i];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    out.modalities[i].loss = out.modalities[i].alone + out.modalities[i].interaction;
    out.mean += shares[i] * out.modalities[i].loss;
  }
  return out;
}

}  // namespace forerun::models
