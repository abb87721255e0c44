#pragma once

/// Bandwidth between halves of a cluster.

#include "hw/network_graph.h"

namespace forerun::hw {

/// What the links that are up carry at most from the first half of the accelerators (in the order
/// of the graph) to the second: maximum flow, equal to the least cut (Boost.Graph, push-relabel).
/// The least over all ways to halve a cluster is what "bisection bandwidth" means; for the shapes
/// of hw/network_shapes.h numbered as they are built, this half is one of the least, with failed
/// links it need not be. Traffic does not pass through accelerators unless they forward.
[[nodiscard]] Bandwidth bisection_bandwidth(const NetworkGraph&);

}  // namespace forerun::hw
