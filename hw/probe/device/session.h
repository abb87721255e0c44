#pragma once

/// A run of the probe from its request to its file.

#include "hw/probe/device/nvml.h"
#include "hw/probe/measurement_file.h"
#include "hw/probe/request.h"

namespace forerun::hw::device {

/// Throws Error with exit code 4 and one line if there is no driver or no accelerator.
void require_accelerator();
/// Device 0 as driver and management library tell it, and which libraries are there.
[[nodiscard]] ProbeDevice device_facts(const Nvml&);
/// Of device 0, as the management library counts.
[[nodiscard]] std::string bus_id();

/// Times what the plan says, group after group, and writes the file after each. Ends early when
/// the budget is spent or a signal asked for it; what was planned and not timed stands in the file
/// with its reason. Throws Error if the device stops answering; the file then has what came before.
void run_probe(const ProbeRequest&);

/// Asks a run to end after the point that it is at; may be called from a signal handler.
void stop_probe();

}  // namespace forerun::hw::device
