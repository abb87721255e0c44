#include "models/loss/architecture_gain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace forerun::models {
namespace {

/// Tokens a parameter at which kappa and lambda hold.
constexpr double kTokensPerParameter = 1000;
/// Expansion at which lambda holds, and the saturation of experts (Ludziejewski et al. 2025,
/// arXiv:2502.05172).
constexpr double kExpansion = 4, kExpertsStart = 2.0732, kExpertsMost = 290.4521;

double experts_worth(double expansion) {
  const auto log_of = [](double e) {
    return std::log(saturated_experts(e, kExpertsStart, kExpertsMost) / kExpertsStart);
  };
  return log_of(expansion) / log_of(kExpansion);
}

}  // namespace

ArchitectureGain architecture_gain(const Law& law, const ConstantValues& values,
                                   Problems& problems) {
  const auto get = [&](const char* name) { return required(law, values, name, problems); };
  return {get("kappa"),     get("mu"), get("lambda"), get("mu_experts"), get("embedding_weight"),
          get("validation")};
}

GainInput gain_input(const ParametersInLaw& model, const std::string& name,
                     const std::map<std::string, double>& shares, double tokens) {
  const ModalityParameters& m = model.of(name);
  GainInput in;
  in.decoder = m.active;
  in.embedding = model.embedding;
  in.own_share = m.own_share();
  in.tokens = tokens;
  if (m.experts.layer_share > 0 && m.experts.expansion > 1) {
    in.expansion = m.experts.expansion;
    in.expert_share = m.experts.layer_share;
  }
  const auto share_of = [&](const std::string& modality) {
    const auto it = shares.find(modality);
    return it == shares.end() ? 0.0 : it->second;
  };
  in.share = share_of(name);
  for (const ParametersInLaw::OwnSet& set : model.own_sets) {
    if (std::ranges::find(set.modalities, name) == set.modalities.end()) continue;
    in.share = 0;
    for (const std::string& modality : set.modalities) in.share += share_of(modality);
    break;
  }
  return in;
}

double step_fraction(const ArchitectureGain& g, const GainInput& in, bool on_validation) {
  FORERUN_ASSERT(in.decoder > 0 && in.tokens > 0 && in.share > 0 && in.expansion >= 1,
                 fmt::format("{} parameters, {} tokens, share {}, expansion {}", in.decoder,
                             in.tokens, in.share, in.expansion));
  const double x = in.tokens / (in.decoder + in.embedding) / kTokensPerParameter;
  const double counted = in.decoder / (in.decoder + g.embedding_weight * in.embedding);
  const double towers = g.kappa * counted * in.own_share * std::pow(x, g.mu) *
                        std::log(1.0 / std::min(1.0, in.share));
  const double experts = g.lambda * counted * in.expert_share * std::pow(x, g.mu_experts) *
                         experts_worth(in.expansion);
  return std::exp(-(on_validation ? g.validation : 1.0) * (towers + experts));
}

}  // namespace forerun::models
