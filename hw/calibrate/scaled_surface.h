#pragma once

/// The rate at which a profile's surface is used, chosen by a few measurements: where there are too
/// few to fit a surface, its shape is kept and its rate moved.

#include <memory>
#include <string>
#include <vector>

#include "hw/accelerator.h"
#include "hw/attention_surface.h"
#include "hw/gemm_surface.h"
#include "hw/logs/tool_log.h"

namespace forerun::hw {

/// A profile's rates are from 0.01 to 10.
inline constexpr double kMostScale = 4;

/// The accelerator's surface of that format at `scale` times its rate, `rate` being that of the
/// profile's entry. Null where the profile has none.
[[nodiscard]] std::shared_ptr<const GemmSurface> scaled_surface(const Accelerator&, Precision,
                                                                double rate, double scale);
[[nodiscard]] std::shared_ptr<const AttentionSurface> scaled_surface(const Accelerator&,
                                                                     AttentionKernel, double rate,
                                                                     double scale);

[[nodiscard]] Seconds predicted(const GemmSurface&, const TimedGemm&);
[[nodiscard]] Seconds predicted(const AttentionSurface&, const TimedAttention&);

/// The scale that makes the sum of |log(predicted / measured)| least, outliers counting less
/// (hw/fit/minimise.h), from 1 / kMostScale to `most`, which is at most kMostScale.
[[nodiscard]] double fit_scale(const std::vector<TimedGemm>&, const Accelerator&, Precision,
                               double rate, double most);
[[nodiscard]] double fit_scale(const std::vector<TimedAttention>&, const Accelerator&,
                               AttentionKernel, double rate, double most);
/// " (held at ...)" where a scale lies on its bound; else empty.
[[nodiscard]] std::string bound_text(double scale, double most);

}  // namespace forerun::hw
