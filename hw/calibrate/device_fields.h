#pragma once

/// Single numbers of an accelerator profile from measurements: each with what it was, what it is
/// now and the edit that puts it into the profile.

#include <optional>
#include <string>
#include <vector>

#include "core/json_edit.h"
#include "hw/accelerator.h"
#include "hw/calibrate/calibration.h"
#include "hw/calibrate/memory_family.h"
#include "hw/logs/tool_log.h"

namespace forerun::hw {

struct DeviceField {
  CalibratedField field;
  JsonEdit edit;
};

/// None without copies.
[[nodiscard]] std::optional<double> streaming_efficiency(const std::vector<TimedCopy>& local,
                                                         const Accelerator&);
/// streaming_efficiency: the fastest large copy in device memory, which reads and writes each byte.
[[nodiscard]] std::vector<DeviceField> streaming_fields(const std::vector<TimedCopy>& local,
                                                        const Accelerator&);
/// memory_ramp, where enough kernels bound by memory were measured.
[[nodiscard]] std::vector<DeviceField> ramp_fields(const MemoryCalibration&, const Accelerator&);
/// collective_tax: the median of together / alone - 1 beside a collective.
[[nodiscard]] std::vector<DeviceField> tax_fields(const std::vector<TimedTax>&, const Accelerator&);
/// power.idle and the energy of an operation and of a byte, from kFewestPowered sustained bf16
/// products with power on (hw/fit/power_fit.h).
[[nodiscard]] std::vector<DeviceField> power_fields(const std::vector<TimedGemm>& sustained,
                                                    const Accelerator&);

inline constexpr std::size_t kFewestPowered = 8;

}  // namespace forerun::hw
