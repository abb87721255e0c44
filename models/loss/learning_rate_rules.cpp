#include "models/loss/learning_rate_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace forerun::models {
namespace {

double value_or(const ConstantValues& values, const std::string& name, double otherwise) {
  const auto it = values.find(name);
  return it == values.end() ? otherwise : it->second;
}

/// N^.. D^.. C^.. E^.. of `of` ("eta" or "batch").
double powers(const ConstantValues& values, const std::string& of, const RuleInputs& in) {
  const auto power = [&](const char* suffix, double base) {
    return std::pow(base, value_or(values, of + suffix, 0));
  };
  return power("_N", in.parameters) * power("_D", in.tokens) * power("_C", in.flops) *
         power("_E", in.experts);
}

/// The geometric middle of the domain, by input; where it does not say, the point asked about, so
/// that this input adds no spread.
RuleInputs middle(const Law& rule, const RuleInputs& in) {
  const auto of = [&](const char* input, double otherwise) {
    const auto it = rule.domain.find(input);
    if (it == rule.domain.end() || it->second[0] <= 0) return otherwise;
    return std::sqrt(it->second[0] * it->second[1]);
  };
  return {of("parameters", in.parameters), of("tokens", in.tokens), of("flops", in.flops),
          of("experts", in.experts)};
}

RuleAnswer answer(const Law& rule, const ConstantValues& values, const RuleInputs& in) {
  FORERUN_ASSERT(in.parameters > 0 && in.tokens > 0 && in.flops > 0 && in.experts >= 1,
                 fmt::format("{} parameters, {} tokens, {} FLOPs, {} experts", in.parameters,
                             in.tokens, in.flops, in.experts));
  RuleAnswer out;
  Problems problems;
  const double scale = required(rule, values, "eta_K", problems);
  for (const Problem& p : problems.list()) out.why_not.push_back(p.what);
  if (problems.empty()) {
    const double slope = value_or(values, "eta_ln_N", 0);
    const double eta = scale * powers(values, "eta", in) + slope * std::log(in.parameters);
    if (eta > 0) {
      out.learning_rate = eta;
    } else {
      out.why_not.push_back(fmt::format("not above zero at {:.3g} parameters", in.parameters));
    }
  }
  if (values.contains("batch_K")) {
    out.batch_tokens = values.at("batch_K") * powers(values, "batch", in);
  }
  out.outside = outside_domain(rule, {{"parameters", in.parameters},
                                      {"tokens", in.tokens},
                                      {"flops", in.flops},
                                      {"experts", in.experts}});
  return out;
}

}  // namespace

RuleAnswer apply_rule(const Law& rule, const RuleInputs& in) {
  FORERUN_ASSERT(rule.form == "training_rule", fmt::format("{} has form {}", rule.name, rule.form));
  return answer(rule, central_values(rule), in);
}

bool has_spread(const Law& rule) {
  return std::ranges::any_of(rule.constants,
                             [](const auto& c) { return c.second.spread != Spread::none; });
}

RuleAnswer draw_rule(const Law& rule, const RuleInputs& in, std::uint64_t seed,
                     std::uint64_t index) {
  if (!has_spread(rule)) return apply_rule(rule, in);
  const ConstantValues central = central_values(rule);
  ConstantValues drawn = drawn_values(rule, seed, index);
  const RuleInputs at = middle(rule, in);
  for (const std::string of : {"eta", "batch"}) {
    const auto scale = central.find(of + "_K");
    if (scale == central.end()) continue;
    drawn[of + "_K"] = scale->second * powers(central, of, at) / powers(drawn, of, at);
  }
  return answer(rule, drawn, in);
}

std::vector<Law> training_rules() {
  std::vector<Law> rules;
  for (const std::string& name : law_names()) {
    if (name.starts_with("rule_")) rules.push_back(load_law(name));
  }
  return rules;
}

}  // namespace forerun::models
