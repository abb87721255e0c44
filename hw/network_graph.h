#pragma once

/// A cluster as a graph: accelerators, scale-up (NVLink) switches, NICs, leaf, spine and core
/// switches, and every directed link with its bandwidth and latency. How graphs of known shapes are
/// made is in hw/network_shapes.h, how traffic finds its way in hw/network_routes.h.
///
/// A scale-up domain's switches are one node: NVSwitch planes are used evenly by the hardware.
/// Bandwidths are the wires'; what a collective reaches of them is its own efficiency
/// (hw/collective_flows.h).
///
/// Not modelled: buffers, loss and retransmission, congestion control, adaptive routing.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/quantity.h"

namespace forerun::hw {

using NodeId = std::int32_t;
using LinkId = std::int32_t;

enum class NodeKind : std::uint8_t { accelerator, scale_up_switch, nic, leaf, spine, core };
inline constexpr std::size_t kNodeKinds = 6;
[[nodiscard]] std::string_view name(NodeKind);

struct NetworkNode {
  std::string name;
  NodeKind kind = NodeKind::accelerator;
  std::int32_t domain = -1;    ///< of an accelerator: its scale-up domain
  std::int32_t position = -1;  ///< of an accelerator: which of its domain, and so which rail
};

struct NetworkLink {
  NodeId from = 0, to = 0;
  Bandwidth bandwidth{};
  Seconds latency{};
  bool scale_up = false;  ///< NVLink rather than network
  bool failed = false;
};

class NetworkGraph {
 public:
  /// Asserts that the name is new.
  NodeId add_node(NetworkNode node);
  /// A cable: one link each way.
  void connect(NodeId a, NodeId b, Bandwidth bandwidth, Seconds latency);

  [[nodiscard]] const std::vector<NetworkNode>& nodes() const { return nodes_; }
  [[nodiscard]] const std::vector<NetworkLink>& links() const { return links_; }
  /// In the order in which they were added.
  [[nodiscard]] const std::vector<NodeId>& accelerators() const { return accelerators_; }
  [[nodiscard]] const NetworkNode& node(NodeId id) const {
    return nodes_[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] const NetworkLink& link(LinkId id) const {
    return links_[static_cast<std::size_t>(id)];
  }
  /// The accelerator at that position of that domain, or -1.
  [[nodiscard]] NodeId accelerator(std::int32_t domain, std::int32_t position) const;
  /// "leaf-0->spine-3".
  [[nodiscard]] std::string link_name(LinkId id) const;

  /// The links that a name means: a node ("spine-3") all that begin or end there, "leaf-0--spine-3"
  /// a cable both ways, "leaf-0->spine-3" one direction of it. Empty if there are none.
  [[nodiscard]] std::vector<LinkId> links_named(std::string_view name) const;
  /// What is near a name that means nothing, as a hint, or empty.
  [[nodiscard]] std::string nearest_name(std::string_view name) const;
  void fail(const std::vector<LinkId>& links);
  /// Leaves that share of their bandwidth, above 0 and at most 1.
  void degrade(const std::vector<LinkId>& links, double share);

  bool accelerators_forward = false;  ///< a torus: traffic passes through accelerators
  /// NICs of one position meet on one leaf: traffic changes rails inside its own domain first
  /// (NCCL's PXN), not through the spines.
  bool rails = false;

 private:
  std::vector<NetworkNode> nodes_;
  std::vector<NetworkLink> links_;
  std::vector<NodeId> accelerators_;
  std::map<std::string, NodeId, std::less<>> by_name_;
  std::map<std::pair<std::int32_t, std::int32_t>, NodeId> by_place_;
};

}  // namespace forerun::hw
