#pragma once

/// Measured against predicted times, as an SVG picture that stands alone.

#include <string>
#include <vector>

#include "hw/calibrate/calibration.h"

namespace forerun::hw {

/// Both axes logarithmic and alike, a line where both agree with a band of 10 % about it, one
/// colour and mark a family. A point is what was predicted without it; families that were only
/// compared show the profile's prediction, as hollow marks. Empty families do not appear.
[[nodiscard]] std::string scatter_svg(const std::string& title,
                                      const std::vector<CalibratedFamily>&);

}  // namespace forerun::hw
