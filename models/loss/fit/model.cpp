#include "models/loss/fit/model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace forerun::models {

namespace {
constexpr double kLeastLoss = 1e-3;
}

double variable(const Unknown& u, double constant) {
  return u.as == Unknown::As::logarithm ? std::log(constant) : constant;
}

double constant(const Unknown& u, double variable) {
  // exp(log(most)) may be a digit over most.
  return std::clamp(u.as == Unknown::As::logarithm ? std::exp(variable) : variable, u.least,
                    u.most);
}

Residuals residuals(const Model& model, std::span<const double> constants, bool jacobian) {
  const std::vector<Term>& terms = model.terms();
  const std::span<const Unknown> unknowns = model.unknowns();
  const std::size_t width = unknowns.size();
  Residuals out;
  out.values.resize(terms.size());
  model.predict(constants, out.values, jacobian ? &out.jacobian : nullptr);
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const double y = out.values[i];
    // d log L / d y.
    double slope = std::numbers::ln10;
    double log_loss = std::numbers::ln10 * y;
    if (!model.decimal_logarithm()) {
      slope = 1.0 / std::max(y, kLeastLoss);
      log_loss = std::log(std::max(y, kLeastLoss));
    }
    out.values[i] = terms[i].log_loss - log_loss;
    if (!jacobian) continue;
    for (std::size_t k = 0; k < width; ++k) {
      const bool log = unknowns[k].as == Unknown::As::logarithm;
      out.jacobian[i * width + k] *= slope * (log ? constants[k] : 1.0);
    }
  }
  return out;
}

}  // namespace forerun::models
