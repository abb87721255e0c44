#include "hw/network_routes.h"

#include <fmt/format.h>

#include <array>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/filtered_graph.hpp>
#include <limits>

#include "core/error.h"
#include "core/random.h"

namespace forerun::hw {
namespace {

constexpr std::int32_t kUnreached = std::numeric_limits<std::int32_t>::max();

using Reversed = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
using Edge = boost::graph_traits<Reversed>::edge_descriptor;

/// Edges of the reversed graph that a search from the receiver may follow: out of the receiver
/// itself, and out of whatever passes traffic on.
struct PassesOn {
  const NetworkGraph* graph = nullptr;
  NodeId receiver = 0;
  const Reversed* reversed = nullptr;
  bool operator()(const Edge& e) const {
    const auto at = static_cast<NodeId>(boost::source(e, *reversed));
    return at == receiver || graph->accelerators_forward ||
           graph->node(at).kind != NodeKind::accelerator;
  }
};

}  // namespace

struct NetworkRoutes::LiveGraph {
  explicit LiveGraph(std::size_t nodes) : reversed(nodes) {}
  Reversed reversed;
};

NetworkRoutes::~NetworkRoutes() = default;

NetworkRoutes::NetworkRoutes(const NetworkGraph& graph, std::uint64_t seed)
    : graph_(graph), seed_(seed), live_(std::make_unique<LiveGraph>(graph.nodes().size())) {
  first_out_.assign(graph.nodes().size() + 1, 0);
  for (const NetworkLink& l : graph.links()) {
    if (l.failed) continue;
    boost::add_edge(static_cast<std::size_t>(l.to), static_cast<std::size_t>(l.from),
                    live_->reversed);
    ++first_out_[static_cast<std::size_t>(l.from) + 1];
  }
  for (std::size_t i = 1; i < first_out_.size(); ++i) first_out_[i] += first_out_[i - 1];
  out_.resize(first_out_.back());
  std::vector<std::size_t> next(first_out_.begin(), first_out_.end() - 1);
  for (std::size_t i = 0; i < graph.links().size(); ++i) {
    const NetworkLink& l = graph.links()[i];
    if (!l.failed) out_[next[static_cast<std::size_t>(l.from)]++] = static_cast<LinkId>(i);
  }
}

const std::vector<std::int32_t>& NetworkRoutes::distances_to(NodeId to) {
  const auto [it, missing] = distances_.try_emplace(to);
  if (!missing) return it->second;
  std::vector<std::int32_t>& distance = it->second;
  distance.assign(graph_.nodes().size(), kUnreached);
  distance[static_cast<std::size_t>(to)] = 0;
  const boost::filtered_graph<Reversed, PassesOn> search(live_->reversed,
                                                         {&graph_, to, &live_->reversed});
  const auto map = boost::make_iterator_property_map(
      distance.begin(), boost::get(boost::vertex_index, live_->reversed));
  boost::breadth_first_search(
      search, static_cast<std::size_t>(to),
      boost::visitor(boost::make_bfs_visitor(boost::record_distances(map, boost::on_tree_edge()))));
  return distance;
}

std::optional<std::int32_t> NetworkRoutes::distance(NodeId from, NodeId to) {
  const std::int32_t d = distances_to(to)[static_cast<std::size_t>(from)];
  return d == kUnreached ? std::nullopt : std::optional(d);
}

void NetworkRoutes::walk(NodeId from, NodeId to, std::uint64_t flow, std::vector<LinkId>& way) {
  const std::vector<std::int32_t>& distance = distances_to(to);
  FORERUN_ASSERT(distance[static_cast<std::size_t>(from)] != kUnreached,
                 fmt::format("no way from {} to {}", graph_.node(from).name, graph_.node(to).name));
  for (NodeId at = from; at != to;) {
    const auto i = static_cast<std::size_t>(at);
    std::uint32_t ways = 0;
    LinkId chosen = -1;
    const auto closer = [&](LinkId l) {
      return distance[static_cast<std::size_t>(graph_.link(l).to)] == distance[i] - 1;
    };
    for (std::size_t k = first_out_[i]; k < first_out_[i + 1]; ++k) {
      if (!closer(out_[k])) continue;
      if (ways++ == 0) chosen = out_[k];
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

void NetworkRoutes::append(NodeId from, NodeId to, std::uint64_t flow, std::vector<LinkId>& way) {
  const NetworkNode &a = graph_.node(from), &b = graph_.node(to);
  if (graph_.rails && a.domain != b.domain && a.position != b.position) {
    const NodeId through = graph_.accelerator(a.domain, b.position);
    if (through >= 0 && distance(from, through) && distance(through, to)) {
      walk(from, through, flow, way);
      walk(through, to, flow, way);
      return;
    }
  }
  walk(from, to, flow, way);
}

void NetworkRoutes::append_through(NodeId from, NodeId through, NodeId to, std::uint64_t flow,
                                   std::vector<LinkId>& way) {
  walk(from, through, flow, way);
  walk(through, to, flow, way);
}

}  // namespace forerun::hw
