#include "models/loss/sparsity_law.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"

namespace forerun::models {

SparsityLaw sparsity_law(const Law& law, const ConstantValues& values, Problems& problems) {
  const auto get = [&](const char* name) { return required(law, values, name, problems); };
  SparsityLaw out;
  out.a = get("a");
  out.alpha = get("alpha");
  out.b = get("b");
  out.beta = get("beta");
  out.c = get("c");
  out.lambda = get("lambda");
  out.d = get("d");
  out.delta = get("delta");
  out.gamma = get("gamma");
  out.floor = get("e");
  return out;
}

double final_loss(const SparsityLaw& law, double total, double tokens, double sparsity) {
  FORERUN_ASSERT(total > 0 && tokens > 0 && sparsity >= 0 && sparsity < 1,
                 fmt::format("{} parameters, {} tokens, sparsity {}", total, tokens, sparsity));
  const double used = 1.0 - sparsity;
  return law.a / std::pow(total, law.alpha) + law.b / std::pow(tokens, law.beta) +
         law.c / std::pow(used, law.lambda) +
         law.d / (std::pow(used, law.delta) * std::pow(total, law.gamma)) + law.floor;
}

}  // namespace forerun::models
