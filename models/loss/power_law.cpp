#include "models/loss/power_law.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"

namespace forerun::models {

PowerLaw power_law(const Law& law, const ConstantValues& values, std::string_view of,
                   Problems& problems) {
  const std::string prefix = of.empty() ? std::string{} : fmt::format("{}.", of);
  const auto get = [&](const char* name) { return required(law, values, prefix + name, problems); };
  return {get("E"), get("A"), get("alpha"), get("B"), get("beta")};
}

FinalLoss final_loss(const PowerLaw& law, double parameters, double tokens) {
  FORERUN_ASSERT(parameters > 0 && tokens > 0,
                 fmt::format("{} parameters, {} tokens", parameters, tokens));
  FinalLoss out;
  out.by_parameters = law.a / std::pow(parameters, law.alpha);
  out.by_tokens = law.b / std::pow(tokens, law.beta);
  out.loss = law.floor + out.by_parameters + out.by_tokens;
  return out;
}

ComputeOptimum compute_optimum(const PowerLaw& law, double flops) {
  FORERUN_ASSERT(law.a > 0 && law.b > 0 && law.alpha > 0 && law.beta > 0,
                 "a law without a slope has no optimum");
  // dL/dN = 0 with D = C / (6 N): N^(alpha + beta) = (alpha A / beta B) (C / 6)^beta.
  const double product = flops / 6.0;
  ComputeOptimum out;
  out.parameters = std::pow(law.alpha * law.a / (law.beta * law.b) * std::pow(product, law.beta),
                            1.0 / (law.alpha + law.beta));
  out.tokens = product / out.parameters;
  out.loss = final_loss(law, out.parameters, out.tokens).loss;
  return out;
}

}  // namespace forerun::models
