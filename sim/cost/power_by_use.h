#pragma once

/// What machines draw by what they do. For one accelerator with its share of the node:
///
///   computing = mean power of the step's board + beside
///   waiting   = the board's idle power         + beside
///
/// The step's board power comes from its time bound by compute, by memory, by the network and idle,
/// and from the power cap (hw/power.h). `beside` is what hosts, fans, NICs and power supplies draw:
/// a range, from what a node may draw by its data sheet beyond its boards' caps, of which
///
///   0.47  where a DGX H100 drew 76 % of 10.2 kW in training (arXiv:2506.14551) with boards at most
///   at
///         their caps: (7.75 - 5.6) / (10.2 - 5.6)
///   0.61  where an HGX H100 node drew 8.4 of 10.2 kW at most (Latif et al., arXiv:2412.08602), its
///         boards at their caps: (8.4 - 5.6) / 4.6
///
/// is drawn. A machine whose data sheet is not known (hw/profiles/clouds/owned.json) draws beside
/// its boards what that node does in proportion to their caps: 0.38 to 0.50.
///
/// Errors: the mean power is that of the accelerator with the most work; others draw less. Assumed:
/// hosts draw in waiting what they draw in training; a board that waits in a collective of a job
/// that hangs, or for data, draws its idle power.
///
/// Not modelled: switches and storage outside the nodes, spikes, temperature.

#include <string>

#include "core/quantity.h"
#include "core/stated.h"
#include "sim/scenario.h"
#include "sim/step.h"

namespace forerun::sim {

/// Of one accelerator.
struct PowerByUse {
  Watts board_computing{}, board_waiting{};
  Stated<Watts> beside;  ///< with a range where it is not stated
  Watts most{};          ///< by the node's data sheet, else of board and beside
  std::string board_source;
};

[[nodiscard]] PowerByUse power_by_use(const Scenario&, const StepResult&);

}  // namespace forerun::sim
