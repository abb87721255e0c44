#include "models/loss/fit/fitted_law.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace forerun::models {
namespace {

/// To so many digits: more than any interval, and files stay readable.
double rounded(double v, int digits = 7) { return std::stod(fmt::format("{:.{}g}", v, digits)); }
constexpr int kDrawnDigits = 6;

Constant made(double value, const Interval& i, bool drawn, const std::string& source) {
  Constant c;
  c.value = rounded(value);
  c.evidence = Evidence::fitted;
  c.source = source;
  c.low = rounded(i.low);
  c.high = rounded(i.high);
  if (drawn && c.low < c.high) {
    c.spread = Spread::interval_90;
  } else {
    c.low = c.high = 0;
  }
  return c;
}

}  // namespace

Law fitted_law(const Fit& fit, const Stages& stages, const std::string& name,
               const std::string& what, const std::string& from) {
  Law law;
  law.name = name;
  law.form = fit.form;
  law.what = what;
  const bool drawn = !fit.draws.empty();
  for (const StageFit& stage : fit.stages) {
    for (std::size_t k = 0; k < stage.constants.size(); ++k) {
      law.constants[stage.names[k]] =
          made(stage.constants[k], drawn ? stage.intervals[k] : Interval{}, drawn, from);
    }
  }
  law.constants["scatter"] = made(std::min(fit.scatter, 1.0), fit.scatter_interval, drawn, from);
  if (drawn) {
    Law::Joint joint;
    joint.names = fit.names;
    joint.source = fmt::format("{} of {} bootstrap draws over runs, {}",
                               std::min(kKeptDraws, fit.draws.size()), fit.draws.size(), from);
    for (std::size_t i = 0; i < std::min(kKeptDraws, fit.draws.size()); ++i) {
      joint.draws.emplace_back();
      for (const double v : fit.draws[i]) joint.draws.back().push_back(rounded(v, kDrawnDigits));
    }
    law.joints.push_back(std::move(joint));
  }
  law.domain = stages.domain;
  law.domain_source = from;
  law.caveats = stages.caveats;
  return law;
}

}  // namespace forerun::models
