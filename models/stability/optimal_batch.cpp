#include "models/stability/optimal_batch.h"

#include <algorithm>
#include <cmath>

namespace forerun::stability {

BatchShift optimal_batch_shift(double b, const std::vector<ModalityShare>& modalities,
                               const Constants& k) {
  const double lever = competition(modalities) * (b - k.reference_b.value);
  const double least = std::exp(k.batch_slope.least * lever);
  const double most = std::exp(k.batch_slope.most * lever);
  return {std::exp(k.batch_slope.value * lever), {std::min(least, most), std::max(least, most)}};
}

}  // namespace forerun::stability
