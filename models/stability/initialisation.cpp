#include "models/stability/initialisation.h"

#include <cmath>

#include "core/error.h"

namespace forerun::stability {

using models::Initialisation;

WeightVariances weight_variances(Initialisation kind, const WeightShape& s) {
  switch (kind) {
    case Initialisation::xavier: {
      const double head = 2 / (s.hidden + s.head_dim);
      const double wide = 2 / (s.hidden + s.ffn);
      return {head, head, 1 / s.hidden, wide, wide};
    }
    case Initialisation::deepscale: {
      const double value = std::sqrt((1 - s.dropout) / s.correlation) / s.hidden;
      // 1/h times the fan-in ratio: the paper's sqrt((1-p)/2)/h is for f = 4 h.
      const double wide =
          std::sqrt((1 - s.dropout) / 2) / s.hidden * std::sqrt(4 * s.hidden / s.ffn);
      return {1 / s.hidden, value, value, wide, wide};
    }
    case Initialisation::megatron: {
      const double v = 0.02 * 0.02;
      return {v, v, v / (2 * s.layers), v, v / (2 * s.layers)};
    }
    case Initialisation::small: {
      const double v = 2 / (5 * s.hidden);
      return {v, v, v / (2 * s.layers), v, v / (2 * s.layers)};
    }
  }
  FORERUN_ASSERT(false, "an initialisation without variances");
}

}  // namespace forerun::stability
