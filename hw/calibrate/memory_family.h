#pragma once

/// Kernels bound by memory: T = ramp + traffic / (efficiency x memory bandwidth), as
/// hw/kernel_time.h has it. The ramp is fitted under the efficiencies that the profile has.

#include <optional>
#include <vector>

#include "hw/accelerator.h"
#include "hw/calibrate/calibration.h"
#include "hw/logs/tool_log.h"

namespace forerun::hw {

inline constexpr std::size_t kFewestMemoryBound = 6;

struct MemoryCalibration {
  CalibratedFamily family;
  /// None with fewer kernels than kFewestMemoryBound.
  std::optional<Seconds> ramp;
};

/// `measured`: those whose kernels are a single MemoryBound. `changed`: the accelerator with what
/// other measurements changed of it.
[[nodiscard]] MemoryCalibration calibrate_memory(const std::vector<TimedKernels>& measured,
                                                 const Accelerator&, const Accelerator& changed);

/// One family for each name of kernels, compared with what the profile says and not fitted.
[[nodiscard]] std::vector<CalibratedFamily> compare_kernels(const std::vector<TimedKernels>&,
                                                            const Accelerator&);

}  // namespace forerun::hw
