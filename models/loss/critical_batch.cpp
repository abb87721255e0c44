#include "models/loss/critical_batch.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"

namespace forerun::models {

CriticalBatchLaw critical_batch_law(const Law& law, const ConstantValues& values,
                                    Problems& problems) {
  return {required(law, values, "B_star", problems), required(law, values, "alpha_B", problems)};
}

double critical_batch(const CriticalBatchLaw& law, double loss) {
  FORERUN_ASSERT(loss > 0 && law.alpha > 0, fmt::format("loss {}, alpha {}", loss, law.alpha));
  return law.scale / std::pow(loss, 1.0 / law.alpha);
}

double token_factor(double batch, double critical) {
  FORERUN_ASSERT(batch > 0 && critical > 0, fmt::format("batch {} of {}", batch, critical));
  return 1.0 + batch / critical;
}

double step_factor(double batch, double critical) { return token_factor(critical, batch); }

double simple_noise_scale(double gradient_variance, double squared_gradient) {
  FORERUN_ASSERT(gradient_variance >= 0 && squared_gradient > 0,
                 fmt::format("variance {}, gradient {}", gradient_variance, squared_gradient));
  return gradient_variance / squared_gradient;
}

double learning_rate_share(double batch, double noise_scale) {
  return 1.0 / step_factor(batch, noise_scale);
}

}  // namespace forerun::models
