#pragma once

/// Ways through the network: fewest links, and of several equally short ways one by a hash of the
/// flow at each switch (ECMP). Same seed and flow, same way; failed links are not taken.
///
/// Traffic does not pass through an accelerator unless the graph's accelerators forward (a torus).
/// Traffic of another rail changes to the receiver's rail inside its own domain where the graph has
/// rails and that way is up (NCCL's PXN). Between domains it leaves by the accelerator's own NIC,
/// which has one switch; inside a domain it stays on the scale-up switch while that is up. Where
/// that NIC or the receiver's has no way it takes others of both domains, over NVLink before and
/// after, as NCCL's PXN does once the job has started again.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "hw/network_graph.h"

namespace forerun::hw {

class NetworkRoutes {
 public:
  /// `graph` must outlive it and not change meanwhile.
  NetworkRoutes(const NetworkGraph& graph, std::uint64_t seed);
  NetworkRoutes(const NetworkRoutes&) = delete;
  NetworkRoutes& operator=(const NetworkRoutes&) = delete;
  ~NetworkRoutes();

  [[nodiscard]] const NetworkGraph& graph() const { return graph_; }
  /// Links between two nodes on a shortest way, or nothing if there is no way.
  [[nodiscard]] std::optional<std::int32_t> distance(NodeId from, NodeId to);
  /// Whether there is a way, by their own NICs or by those of their domains' others.
  [[nodiscard]] bool connected(NodeId from, NodeId to) {
    return distance(from, to) || detour(from, to, 0) >= 0;
  }
  /// Appends the way of `flow` from one accelerator to another; asserts that there is one.
  void append(NodeId from, NodeId to, std::uint64_t flow, std::vector<LinkId>& way);
  /// The same by way of another accelerator of the sender's domain, which passes it on.
  void append_through(NodeId from, NodeId through, NodeId to, std::uint64_t flow,
                      std::vector<LinkId>& way);

 private:
  struct LiveGraph;
  /// How an accelerator meets what passes traffic on: links to and from it, -1 if none is up.
  struct Port {
    LinkId to_nic = -1, from_nic = -1, to_switch = -1, from_switch = -1;
    LinkId to_scale_up = -1, from_scale_up = -1;
    [[nodiscard]] bool out() const { return to_nic >= 0 && to_switch >= 0; }
    [[nodiscard]] bool in() const { return from_nic >= 0 && from_switch >= 0; }
  };
  void find_ports();
  [[nodiscard]] const Port& port(NodeId accelerator) const {
    return ports_[static_cast<std::size_t>(accelerator)];
  }
  [[nodiscard]] bool on_scale_up(NodeId from, NodeId to) const;
  const std::vector<std::int32_t>& distances_to(NodeId to);
  void walk(NodeId from, NodeId to, std::uint64_t flow, std::vector<LinkId>& way);
  /// A position at which both domains are joined and which both reach over NVLink, picked by the
  /// flow; -1: there is none.
  std::int32_t detour(NodeId from, NodeId to, std::uint64_t flow);
  /// A way without a change of rails.
  void direct(NodeId from, NodeId to, std::uint64_t flow, std::vector<LinkId>& way);

  const NetworkGraph& graph_;
  std::uint64_t seed_;
  std::vector<std::int32_t> passing_;  // by node: its index among those that pass traffic on, or -1
  std::vector<Port> ports_;            // by node
  std::unique_ptr<LiveGraph> live_;    // Boost.Graph stays out of this header
  std::vector<LinkId> out_;            // live links by the passing node they leave: first_out_
  std::vector<std::size_t> first_out_;
  std::unordered_map<NodeId, std::vector<std::int32_t>> distances_;  // by passing node
};

}  // namespace forerun::hw
