#pragma once

/// Transfers as fluid flows over the links of a network: fidelity "flow". At every moment the flows
/// that run share the links max-min fairly (hw/max_min.h); when one starts or ends, the rates of
/// those it is connected to are solved again, and only those whose rate is another get a new date.
///
/// A transfer begins at `start` when all it waits for is done, has moved its last byte at `sent`,
/// and has arrived `latency` later, at `end`. Time is a whole number of picoseconds; ends of work
/// are rounded up.
///
/// Not modelled: slow start, packets, loss; a flow takes its new rate at once.

#include <cstdint>
#include <vector>

#include "core/quantity.h"
#include "hw/max_min.h"
#include "hw/network_graph.h"

namespace forerun::hw {

struct Transfer {
  std::vector<LinkUse> uses;  ///< bytes on each link for a byte moved; none: at once
  Bytes bytes{};
  Seconds latency{};                 ///< from the last byte sent to its arrival
  Seconds start{};                   ///< not before
  std::vector<std::int32_t> after;   ///< begins when these have arrived ...
  std::vector<std::int32_t> behind;  ///< ... and these have been sent (a queue of one sender)
};

struct TransferTimes {
  Seconds start{}, sent{}, end{};
};

struct FlowRun {
  std::vector<TransferTimes> transfers;  ///< as many as were given, in their order
  Seconds end{};                         ///< of the last
  std::int64_t events = 0;               ///< starts, last bytes and arrivals
  std::int64_t solves = 0, flows_solved = 0, uses_solved = 0;  ///< of the solver
};

/// Asserts that what transfers wait for exists and that they do not wait in a circle. Throws Error
/// if one takes longer than 100 days.
[[nodiscard]] FlowRun simulate_flows(const NetworkGraph&, const std::vector<Transfer>&);

/// One use for each link of `way`, shares of the same link added up.
[[nodiscard]] std::vector<LinkUse> merged(std::vector<LinkUse> uses);

}  // namespace forerun::hw
