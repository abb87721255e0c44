#include "hw/network_routes.h"

#include <fmt/format.h>

#include <array>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <limits>

#include "core/error.h"
#include "core/random.h"

namespace forerun::hw {
namespace {

constexpr std::int32_t kUnreached = std::numeric_limits<std::int32_t>::max();

// Of the nodes that pass traffic on, with every link turned around: searches start at receivers.
using Reversed = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;

bool passes_on(const NetworkGraph& graph, const NetworkNode& node) {
  return node.kind >= NodeKind::leaf ||
         (graph.accelerators_forward && node.kind == NodeKind::accelerator);
}

}  // namespace

struct NetworkRoutes::LiveGraph {
  explicit LiveGraph(std::size_t nodes) : reversed(nodes) {}
  Reversed reversed;
};

NetworkRoutes::~NetworkRoutes() = default;

NetworkRoutes::NetworkRoutes(const NetworkGraph& graph, std::uint64_t seed)
    : graph_(graph), seed_(seed), passing_(graph.nodes().size(), -1) {
  std::size_t passing = 0;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    if (passes_on(graph, graph.nodes()[i])) passing_[i] = static_cast<std::int32_t>(passing++);
  }
  live_ = std::make_unique<LiveGraph>(passing);
  first_out_.assign(passing + 1, 0);
  std::vector<LinkId> used;
  const auto index = [&](NodeId n) {
    return static_cast<std::size_t>(passing_[static_cast<std::size_t>(n)]);
  };
  for (std::size_t i = 0; i < graph.links().size(); ++i) {
    const NetworkLink& l = graph.links()[i];
    if (l.failed || passing_[static_cast<std::size_t>(l.from)] < 0 ||
        passing_[static_cast<std::size_t>(l.to)] < 0) {
      continue;
    }
    boost::add_edge(index(l.to), index(l.from), live_->reversed);
    ++first_out_[index(l.from) + 1];
    used.push_back(static_cast<LinkId>(i));
  }
  for (std::size_t i = 1; i < first_out_.size(); ++i) first_out_[i] += first_out_[i - 1];
  out_.resize(used.size());
  std::vector<std::size_t> next(first_out_.begin(), first_out_.end() - 1);
  for (const LinkId id : used) out_[next[index(graph.link(id).from)]++] = id;
  if (!graph.accelerators_forward) find_ports();
}

void NetworkRoutes::find_ports() {
  ports_.resize(graph_.nodes().size());
  std::vector<NodeId> owner(graph_.nodes().size(), -1);  // of a NIC
  for (std::size_t i = 0; i < graph_.links().size(); ++i) {
    const NetworkLink& l = graph_.links()[i];
    const NodeKind from = graph_.node(l.from).kind, to = graph_.node(l.to).kind;
    Port* port = nullptr;
    if (from == NodeKind::accelerator) port = &ports_[static_cast<std::size_t>(l.from)];
    if (to == NodeKind::accelerator) port = &ports_[static_cast<std::size_t>(l.to)];
    if (port == nullptr) continue;
    if (from == NodeKind::nic) owner[static_cast<std::size_t>(l.from)] = l.to;
    if (l.failed) continue;
    const auto id = static_cast<LinkId>(i);
    if (to == NodeKind::nic) port->to_nic = id;
    if (from == NodeKind::nic) port->from_nic = id;
    if (to == NodeKind::scale_up_switch) port->to_scale_up = id;
    if (from == NodeKind::scale_up_switch) port->from_scale_up = id;
  }
  for (std::size_t i = 0; i < graph_.links().size(); ++i) {
    const NetworkLink& l = graph_.links()[i];
    if (l.failed) continue;
    const auto id = static_cast<LinkId>(i);
    const NodeId of_from = owner[static_cast<std::size_t>(l.from)];
    const NodeId of_to = owner[static_cast<std::size_t>(l.to)];
    const bool out = of_from >= 0 && graph_.node(l.to).kind >= NodeKind::leaf;
    const bool in = of_to >= 0 && graph_.node(l.from).kind >= NodeKind::leaf;
    if (out) ports_[static_cast<std::size_t>(of_from)].to_switch = id;
    if (in) ports_[static_cast<std::size_t>(of_to)].from_switch = id;
  }
}

const std::vector<std::int32_t>& NetworkRoutes::distances_to(NodeId to) {
  const auto [it, missing] = distances_.try_emplace(to);
  if (!missing) return it->second;
  std::vector<std::int32_t>& distance = it->second;
  const auto first = static_cast<std::size_t>(passing_[static_cast<std::size_t>(to)]);
  distance.assign(boost::num_vertices(live_->reversed), kUnreached);
  distance[first] = 0;
  const auto map = boost::make_iterator_property_map(
      distance.begin(), boost::get(boost::vertex_index, live_->reversed));
  boost::breadth_first_search(
      live_->reversed, first,
      boost::visitor(boost::make_bfs_visitor(boost::record_distances(map, boost::on_tree_edge()))));
  return distance;
}

bool NetworkRoutes::on_scale_up(NodeId from, NodeId to) const {
  return graph_.node(from).domain == graph_.node(to).domain && port(from).to_scale_up >= 0 &&
         port(to).from_scale_up >= 0;
}

std::optional<std::int32_t> NetworkRoutes::distance(NodeId from, NodeId to) {
  if (from == to) return 0;
  NodeId a = from, b = to;
  std::int32_t ends = 0;
  if (!graph_.accelerators_forward) {
    if (on_scale_up(from, to)) return 2;
    if (!port(from).out() || !port(to).in()) return std::nullopt;
    a = graph_.link(port(from).to_switch).to;
    b = graph_.link(port(to).from_switch).from;
    ends = 4;
  }
  const std::int32_t d =
      distances_to(b)[static_cast<std::size_t>(passing_[static_cast<std::size_t>(a)])];
  return d == kUnreached ? std::nullopt : std::optional(ends + d);
}

void NetworkRoutes::walk(NodeId from, NodeId to, std::uint64_t flow, std::vector<LinkId>& way) {
  const std::vector<std::int32_t>& distance = distances_to(to);
  const auto index = [&](NodeId n) {
    return static_cast<std::size_t>(passing_[static_cast<std::size_t>(n)]);
  };
  for (NodeId at = from; at != to;) {
    const std::size_t i = index(at);
    FORERUN_ASSERT(
        distance[i] != kUnreached,
        fmt::format("no way from {} to {}", graph_.node(from).name, graph_.node(to).name));
    std::uint32_t ways = 0;
    LinkId chosen = -1;
    const auto closer = [&](LinkId l) {
      return distance[index(graph_.link(l).to)] == distance[i] - 1;
    };
    for (std::size_t k = first_out_[i]; k < first_out_[i + 1]; ++k) {
      if (closer(out_[k]) && ways++ == 0) chosen = out_[k];
    }
    if (ways > 1) {
      const std::array<std::uint32_t, 4> hash =
          philox({static_cast<std::uint32_t>(flow), static_cast<std::uint32_t>(flow >> 32),
                  static_cast<std::uint32_t>(at), 0},
                 {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)});
      std::uint32_t skip = hash[0] % ways;
      for (std::size_t k = first_out_[i]; k < first_out_[i + 1]; ++k) {
        if (!closer(out_[k])) continue;
        if (skip-- == 0) {
          chosen = out_[k];
          break;
        }
      }
    }
    way.push_back(chosen);
    at = graph_.link(chosen).to;
  }
}

void NetworkRoutes::direct(NodeId from, NodeId to, std::uint64_t flow, std::vector<LinkId>& way) {
  if (from == to) return;
  if (graph_.accelerators_forward) {
    walk(from, to, flow, way);
    return;
  }
  const Port &a = port(from), &b = port(to);
  if (on_scale_up(from, to)) {
    way.insert(way.end(), {a.to_scale_up, b.from_scale_up});
    return;
  }
  FORERUN_ASSERT(a.out() && b.in(),
                 fmt::format("no way from {} to {}", graph_.node(from).name, graph_.node(to).name));
  way.insert(way.end(), {a.to_nic, a.to_switch});
  walk(graph_.link(a.to_switch).to, graph_.link(b.from_switch).from, flow, way);
  way.insert(way.end(), {b.from_switch, b.from_nic});
}

void NetworkRoutes::append(NodeId from, NodeId to, std::uint64_t flow, std::vector<LinkId>& way) {
  const NetworkNode &a = graph_.node(from), &b = graph_.node(to);
  if (graph_.rails && a.domain != b.domain && a.position != b.position) {
    const NodeId through = graph_.accelerator(a.domain, b.position);
    if (through >= 0 && on_scale_up(from, through) && distance(through, to)) {
      append_through(from, through, to, flow, way);
      return;
    }
  }
  if (distance(from, to)) return direct(from, to, flow, way);
  const std::int32_t position = detour(from, to, flow);
  FORERUN_ASSERT(position >= 0, fmt::format("no way from {} to {}", a.name, b.name));
  const NodeId exit = graph_.accelerator(a.domain, position);
  const NodeId entry = graph_.accelerator(b.domain, position);
  direct(from, exit, flow, way);
  direct(exit, entry, flow, way);
  direct(entry, to, flow, way);
}

std::int32_t NetworkRoutes::detour(NodeId from, NodeId to, std::uint64_t flow) {
  const NetworkNode &a = graph_.node(from), &b = graph_.node(to);
  if (graph_.accelerators_forward || a.domain < 0 || a.domain == b.domain) return -1;
  std::vector<std::int32_t> open;
  for (std::int32_t p = 0; graph_.accelerator(a.domain, p) >= 0; ++p) {
    const NodeId exit = graph_.accelerator(a.domain, p), entry = graph_.accelerator(b.domain, p);
    if (entry < 0 || !distance(exit, entry)) continue;
    if (from != exit && !on_scale_up(from, exit)) continue;
    if (to != entry && !on_scale_up(entry, to)) continue;
    open.push_back(p);
  }
  return open.empty() ? -1 : open[flow % open.size()];
}

void NetworkRoutes::append_through(NodeId from, NodeId through, NodeId to, std::uint64_t flow,
                                   std::vector<LinkId>& way) {
  direct(from, through, flow, way);
  direct(through, to, flow, way);
}

}  // namespace forerun::hw
