#include "models/loss/fine_grained_law.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"

namespace forerun::models {

FineGrainedLaw fine_grained_law(const Law& law, const ConstantValues& values, Problems& problems) {
  const auto get = [&](const char* name) { return required(law, values, name, problems); };
  FineGrainedLaw out;
  out.floor = get("c");
  out.a = get("a");
  out.alpha = get("alpha");
  out.b = get("b");
  out.beta = get("beta");
  out.g = get("g");
  out.gamma = get("gamma");
  out.dense = {get("dense_c"), get("dense_a"), get("dense_alpha"), get("dense_b"),
               get("dense_beta")};
  return out;
}

namespace {

double by_parameters(const FineGrainedLaw& law, double total, double granularity) {
  FORERUN_ASSERT(total > 0 && granularity >= 1,
                 fmt::format("{} parameters, granularity {}", total, granularity));
  return (law.g / std::pow(granularity, law.gamma) + law.a) / std::pow(total, law.alpha);
}

}  // namespace

double final_loss(const FineGrainedLaw& law, double total, double tokens, double granularity) {
  FORERUN_ASSERT(tokens > 0, fmt::format("{} tokens", tokens));
  return law.floor + by_parameters(law, total, granularity) + law.b / std::pow(tokens, law.beta);
}

double token_saving(const FineGrainedLaw& law, double total, double tokens, double from,
                    double to) {
  // b / D'^beta makes up for what parameters bring more or less.
  const double left = law.b / std::pow(tokens, law.beta) + by_parameters(law, total, from) -
                      by_parameters(law, total, to);
  FORERUN_ASSERT(left > 0, fmt::format("granularity {} to {} at {} tokens", from, to, tokens));
  return tokens / std::pow(law.b / left, 1.0 / law.beta);
}

}  // namespace forerun::models
