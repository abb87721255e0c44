#pragma once

/// Matrix products of one format: which surface predicts them best, and how well.

#include <optional>
#include <vector>

#include "hw/accelerator.h"
#include "hw/calibrate/calibration.h"
#include "hw/gemm_surface.h"
#include "hw/logs/tool_log.h"

namespace forerun::hw {

struct GemmCalibration {
  CalibratedFamily family;
  double scale = 1;            ///< of the profile's rate, where no surface was made
  std::optional<GemmFit> fit;  ///< the profile's surface, corrected
};

/// `measured`: burst products of one format, each shape once. `rate`: of the profile's entry;
/// `most`: times that at most (hw/calibrate/scaled_surface.h).
[[nodiscard]] GemmCalibration calibrate_gemm(const std::vector<TimedGemm>& measured,
                                             const Accelerator&, Precision, double rate,
                                             double most);

/// One product of each shape: the median of its times, at the first one's place.
[[nodiscard]] std::vector<TimedGemm> each_shape_once(const std::vector<TimedGemm>&);

}  // namespace forerun::hw
