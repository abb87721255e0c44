#include "models/loss/repetition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace forerun::models {
namespace {

/// `base` times (1 + decay (1 - exp(-repeats / decay))), repeats = total / base - 1, at least 0.
double saturated(double total, double base, double decay) {
  if (total <= base) return total;
  return base * (1.0 - decay * std::expm1(-(total / base - 1.0) / decay));
}

void check(double unique, double decay) {
  FORERUN_ASSERT(unique > 0 && decay > 0,
                 fmt::format("{} unique tokens, worth falling over {} repeats", unique, decay));
}

}  // namespace

RepetitionLaw repetition_law(const Law& law, const ConstantValues& values, Problems& problems) {
  RepetitionLaw out;
  out.power = power_law(law, values, "", problems);
  out.tokens = required(law, values, "R_star_D", problems);
  out.parameters = required(law, values, "R_star_N", problems);
  return out;
}

double effective_tokens(double tokens, double unique, double decay) {
  check(unique, decay);
  return saturated(tokens, unique, decay);
}

double marginal_worth(double tokens, double unique, double decay) {
  check(unique, decay);
  return tokens <= unique ? 1.0 : std::exp(-(tokens / unique - 1.0) / decay);
}

std::optional<double> tokens_for(double effective, double unique, double decay) {
  check(unique, decay);
  if (effective <= unique) return effective;
  const double share = (effective / unique - 1.0) / decay;
  if (share >= 1.0) return std::nullopt;
  return unique * (1.0 - decay * std::log1p(-share));
}

double optimal_parameters(const PowerLaw& law, double tokens) {
  FORERUN_ASSERT(law.a > 0 && law.b > 0 && law.alpha > 0 && law.beta > 0 && tokens > 0,
                 "a law without a slope has no optimum");
  return std::pow(law.alpha * law.a / (law.beta * law.b) * std::pow(tokens, law.beta),
                  1.0 / law.alpha);
}

double effective_parameters(const RepetitionLaw& law, double parameters, double tokens,
                            double unique) {
  const double base = optimal_parameters(law.power, std::min(tokens, unique));
  return saturated(parameters, base, law.parameters);
}

FinalLoss final_loss(const RepetitionLaw& law, double parameters, double tokens, double unique) {
  return final_loss(law.power, effective_parameters(law, parameters, tokens, unique),
                    effective_tokens(tokens, unique, law.tokens));
}

}  // namespace forerun::models
