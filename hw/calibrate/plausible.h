#pragma once

/// What no machine can have measured. Each finding is a problem at the measurement's file and line
/// that names the value, the bound and, where a factor of a thousand tells it, the mistaken unit.

#include "core/problem.h"
#include "hw/accelerator.h"
#include "hw/collective.h"
#include "hw/logs/tool_log.h"

namespace forerun::hw {

/// The least time that the links allow, whatever the algorithm: in one domain every rank receives
/// (all-reduce with reduction in the switch: sends) its bytes over its own link; out of a domain
/// the domain's NICs carry what it must send (half of a ring's traffic for an all-reduce, as a
/// switch may reduce).
[[nodiscard]] Seconds least_collective_time(CollectiveKind, Bytes, const Group&, const Network&);

/// Faster than the links, or so far from the model's time that a unit must be wrong.
void check_plausible(const TimedCollective&, const Group&, const Network&, Problems&);
/// Above the dense peak, or as above. `modelled`: zero where the profile has no such surface.
void check_plausible(const TimedGemm&, const Accelerator&, Seconds modelled, Problems&);
void check_plausible(const TimedAttention&, const Accelerator&, Seconds modelled, Problems&);
/// `limit`: of the path's bandwidth, a published peak.
void check_plausible(const TimedCopy&, Bandwidth limit, const char* limit_name, Problems&);

/// The device that a log names must not be another one that profiles know, nor another board of it
/// (PCIe, NVL, SXM), nor have another number of multiprocessors. `profile`: a profile's name,
/// "h100-sxm-80gb", which begins with the model's.
void check_device(const ToolLog&, const std::string& profile,
                  std::optional<std::int64_t> multiprocessors, Problems&);

}  // namespace forerun::hw
