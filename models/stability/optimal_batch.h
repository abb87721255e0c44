#pragma once

/// How a mixture moves the optimal batch, by b_ij of its pairs:
///
///   batch / batch of one modality = exp(slope C (b_ij - b_ref))
///
/// Aghajanyan et al. 2023 found that the optimal batch goes with b_ij (beta_ij) and not with
/// alpha_ij, and published neither slope nor sign: the slope is `assumed`, between -2 and 2, so the
/// band holds 1 always. C is competition() of stability_case.h: nothing moves for one modality.

#include "core/statistics.h"
#include "models/stability/constants.h"
#include "models/stability/stability_case.h"

namespace forerun::stability {

struct BatchShift {
  double factor = 1;
  Interval band;  ///< over the slope's range
};
[[nodiscard]] BatchShift optimal_batch_shift(double b, const std::vector<ModalityShare>&,
                                             const Constants&);

}  // namespace forerun::stability
