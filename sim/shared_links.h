#pragma once

/// What a program's exchanges load while they run, for fidelity "flow": at every moment the flows
/// that run share the links max-min fairly (hw/max_min.h). A flow that nothing hinders moves at its
/// own rate and its operation takes its own duration; a slower one stretches what of the duration
/// is not latency by own rate / share:
///
///   end = begin + latency + work,  work done per tick = share / own rate,  latency + work =
///   duration.
///
/// Rates are in bytes a second on the busiest link of an accelerator or NIC; a flow of rate r loads
/// link l with `share` r. Links that cannot bind are left out (sim/link_classes.h).

#include <cstdint>
#include <string>
#include <vector>

#include "hw/max_min.h"

namespace forerun::sim {

struct SharedFlow {
  std::int32_t pattern = 0;
  double rate = 0;           ///< its own
  double latency_share = 0;  ///< of the operation's duration
};

struct SharedLinks {
  std::vector<double> capacity;  ///< bytes a second
  std::vector<std::string> names;
  std::vector<std::vector<hw::LinkUse>> patterns;
  std::vector<SharedFlow> flows;
  std::vector<std::vector<std::int32_t>> of;  ///< by rank, by operation: its flow; -1: none
  std::vector<std::int32_t> background;       ///< flows of other jobs, which never end
  /// Whether nothing is shared: every operation takes its duration.
  [[nodiscard]] bool empty() const { return of.empty(); }
};

}  // namespace forerun::sim
