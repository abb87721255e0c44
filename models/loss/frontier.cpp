#include "models/loss/frontier.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "core/error.h"

namespace forerun::models {

std::vector<std::string> frontier_kinds(const Law& law) {
  std::set<std::string> kinds;
  for (const auto& [name, constant] : law.constants) kinds.insert(name.substr(0, name.find('.')));
  return {kinds.begin(), kinds.end()};
}

Frontier frontier(const Law& law, const ConstantValues& values, const std::string& kind,
                  Problems& problems) {
  return {required(law, values, kind + ".K", problems),
          required(law, values, kind + ".c", problems)};
}

double final_loss(const Frontier& frontier, double flops) {
  FORERUN_ASSERT(flops > 0, fmt::format("{} FLOPs", flops));
  return frontier.coefficient * std::pow(flops, frontier.exponent);
}

double flops_for(const Frontier& frontier, double loss) {
  FORERUN_ASSERT(loss > 0 && frontier.exponent < 0,
                 fmt::format("loss {} of exponent {}", loss, frontier.exponent));
  return std::pow(loss / frontier.coefficient, 1.0 / frontier.exponent);
}

FrontierGrowth frontier_growth(const Law& law, const ConstantValues& values,
                               const std::string& kind, Problems& problems) {
  return {required(law, values, kind + ".a", problems),
          required(law, values, kind + ".b", problems),
          required(law, values, kind + ".d", problems)};
}

OptimumFactors grown(const FrontierGrowth& growth, double factor) {
  FORERUN_ASSERT(factor > 0, fmt::format("{} times the FLOPs", factor));
  return {std::pow(factor, growth.parameters), std::pow(factor, growth.tokens)};
}

double late_fusion_flops(double encoder_parameters, double encoder_tokens, double parameters,
                         double tokens) {
  return 6.0 * (encoder_parameters * encoder_tokens + parameters * tokens);
}

}  // namespace forerun::models
