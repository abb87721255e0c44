#include "models/loss/moe_law.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"

namespace forerun::models {

double saturated_experts(double experts, double e_start, double e_max) {
  FORERUN_ASSERT(experts >= 1 && e_start >= 1 && e_start < e_max,
                 fmt::format("{} experts, from {} to {}", experts, e_start, e_max));
  const double first = 1.0 / (1.0 / e_start - 1.0 / e_max);
  return 1.0 / (1.0 / (experts - 1.0 + first) + 1.0 / e_max);
}

JointMoeLaw joint_moe_law(const Law& law, const ConstantValues& values, Problems& problems) {
  const auto get = [&](const char* name) { return required(law, values, name, problems); };
  JointMoeLaw out;
  out.a = get("a");
  out.alpha = get("alpha");
  out.delta = get("delta");
  out.gamma = get("gamma");
  out.b = get("b");
  out.beta = get("beta");
  out.omega = get("omega");
  out.zeta = get("zeta");
  out.e_start = get("E_start");
  out.e_max = get("E_max");
  out.floor = get("c");
  return out;
}

namespace {

double by_tokens(const JointMoeLaw& law, double tokens, double saturated) {
  return law.b * std::pow(saturated, law.omega) *
         std::pow(tokens, law.beta + law.zeta * std::log(saturated));
}

}  // namespace

double final_loss(const JointMoeLaw& law, double active, double tokens, double experts) {
  FORERUN_ASSERT(active > 0 && tokens > 0, fmt::format("{} parameters, {} tokens", active, tokens));
  const double saturated = saturated_experts(experts, law.e_start, law.e_max);
  const double by_parameters = law.a * std::pow(saturated, law.delta) *
                               std::pow(active, law.alpha + law.gamma * std::log(saturated));
  return law.floor + by_parameters + by_tokens(law, tokens, saturated);
}

std::optional<double> effective_parameters(const JointMoeLaw& law, double active, double tokens,
                                           double experts) {
  // a E_start^delta N'^(alpha + gamma ln E_start) is what the dense model's parameters must leave.
  const double left =
      final_loss(law, active, tokens, experts) - law.floor - by_tokens(law, tokens, law.e_start);
  if (left <= 0) return std::nullopt;
  const double exponent = law.alpha + law.gamma * std::log(law.e_start);
  return std::pow(left / (law.a * std::pow(law.e_start, law.delta)), 1.0 / exponent);
}

RoutedLaw routed_law(const Law& law, const ConstantValues& values, Problems& problems) {
  const auto get = [&](const char* name) { return required(law, values, name, problems); };
  RoutedLaw out;
  out.a = get("a");
  out.b = get("b");
  out.c = get("c");
  out.d = get("d");
  out.e_start = get("E_start");
  out.e_max = get("E_max");
  return out;
}

double final_loss(const RoutedLaw& law, double dense_parameters, double experts) {
  FORERUN_ASSERT(dense_parameters > 0, fmt::format("{} parameters", dense_parameters));
  const double n = std::log10(dense_parameters);
  const double e = std::log10(saturated_experts(experts, law.e_start, law.e_max));
  return std::pow(10.0, law.a * n + law.b * e + law.c * n * e + law.d);
}

double effective_parameters(const RoutedLaw& law, double dense_parameters, double experts) {
  const double n = std::log10(dense_parameters);
  const double e = std::log10(saturated_experts(experts, law.e_start, law.e_max));
  const double start = std::log10(law.e_start);
  // a n + b e + c n e = a n' + b start + c n' start.
  return std::pow(
      10.0, (law.a * n + law.b * e + law.c * n * e - law.b * start) / (law.a + law.c * start));
}

double routing_cutoff(const RoutedLaw& law) { return std::pow(10.0, -law.b / law.c); }

}  // namespace forerun::models
