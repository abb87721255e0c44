#include "models/loss/law.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace forerun::models {
namespace {

/// Standard deviations from the middle of a normal distribution to the ends of its central 90 and
/// 95 %.
constexpr double kWidth90 = 1.6448536269514722;
constexpr double kWidth95 = 1.959963984540054;

double drawn(const Constant& c, const Stream& stream, std::uint64_t index) {
  switch (c.spread) {
    case Spread::none:
      return c.value;
    case Spread::standard_error:
      return c.value + c.high * stream.normal(index);
    case Spread::interval_90:
    case Spread::interval_95: {
      const double width = c.spread == Spread::interval_90 ? kWidth90 : kWidth95;
      const double z = stream.normal(index) / width;
      if (c.low <= 0) return 0.5 * (c.low + c.high) + 0.5 * (c.high - c.low) * z;
      const double low = std::log(c.low), high = std::log(c.high);
      return std::exp(0.5 * (low + high) + 0.5 * (high - low) * z);
    }
    case Spread::range: {
      const double u = stream.uniform(index);
      if (c.low > 0 && c.high >= 3 * c.low) return c.low * std::pow(c.high / c.low, u);
      return c.low + (c.high - c.low) * u;
    }
  }
  return c.value;
}

}  // namespace

Evidence Law::weakest_evidence() const {
  Evidence worst = Evidence::measured;
  for (const auto& [key, c] : constants) worst = weakest(worst, c.evidence);
  return worst;
}

ConstantValues central_values(const Law& law) {
  ConstantValues values;
  for (const auto& [name, constant] : law.constants) values.emplace(name, constant.value);
  return values;
}

ConstantValues drawn_values(const Law& law, std::uint64_t seed, std::uint64_t index) {
  ConstantValues values;
  const LawForm& form = law_form(law.form);
  const auto held = [&](std::string_view name, double value) {
    const std::string_view suffix = name.substr(name.find('.') + 1);
    const auto it = std::ranges::find(form.constants, suffix, &LawConstant::name);
    return std::clamp(value, it->least, it->most);
  };
  for (std::size_t k = 0; k < law.joints.size(); ++k) {
    const Law::Joint& joint = law.joints[k];
    const Stream stream(seed, fmt::format("law/{}/joint/{}", law.name, k));
    const std::vector<double>& row = joint.draws[stream.below(index, joint.draws.size())];
    for (std::size_t i = 0; i < joint.names.size(); ++i) {
      values.emplace(joint.names[i], row[i]);
    }
  }
  for (const auto& [name, constant] : law.constants) {
    if (values.contains(name)) continue;
    const Stream stream(seed, fmt::format("law/{}/{}", law.name, name));
    values.emplace(name, held(name, drawn(constant, stream, index)));
  }
  return values;
}

double required(const Law& law, const ConstantValues& values, const std::string& name,
                Problems& problems) {
  if (const auto it = values.find(name); it != values.end()) return it->second;
  const auto why = law.missing.find(name);
  problems.add(
      fmt::format("law {}", law.name),
      fmt::format("constant {} is not known{}: fit it to runs (forerun fit), or state it under "
                  "loss.assume",
                  name, why == law.missing.end() ? "" : fmt::format(" ({})", why->second)));
  return 0;
}

std::vector<std::string> outside_domain(const Law& law,
                                        const std::map<std::string, double, std::less<>>& inputs) {
  std::vector<std::string> out;
  for (const auto& [name, value] : inputs) {
    const auto it = law.domain.find(name);
    if (it == law.domain.end()) continue;
    const auto [least, most] = it->second;
    if (value >= least && value <= most) continue;
    out.push_back(fmt::format("{:.3g} {}: law {} rests on {:.3g} to {:.3g}", value, name, law.name,
                              least, most));
  }
  return out;
}

}  // namespace forerun::models
