#include "hw/network_cut.h"

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/push_relabel_max_flow.hpp>
#include <cmath>
#include <limits>

namespace forerun::hw {
namespace {

// Whole bytes a second: push-relabel ends on integers, and a byte a second is nothing.
using Capacity = std::int64_t;
using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
using FlowGraph = boost::adjacency_list<
    boost::vecS, boost::vecS, boost::directedS, boost::no_property,
    boost::property<
        boost::edge_capacity_t, Capacity,
        boost::property<boost::edge_residual_capacity_t, Capacity,
                        boost::property<boost::edge_reverse_t, Traits::edge_descriptor>>>>;

void add_link(FlowGraph& g, std::size_t from, std::size_t to, Capacity capacity) {
  const auto there = boost::add_edge(from, to, g).first;
  const auto back = boost::add_edge(to, from, g).first;
  boost::put(boost::edge_capacity, g, there, capacity);
  boost::put(boost::edge_capacity, g, back, Capacity{0});
  boost::put(boost::edge_reverse, g, there, back);
  boost::put(boost::edge_reverse, g, back, there);
}

}  // namespace

Bandwidth bisection_bandwidth(const NetworkGraph& network) {
  const std::size_t nodes = network.nodes().size();
  const std::size_t half = network.accelerators().size() / 2;
  if (half == 0) return {};
  std::vector<bool> first(nodes), second(nodes);
  for (std::size_t i = 0; i < network.accelerators().size(); ++i) {
    (i < half ? first : second)[static_cast<std::size_t>(network.accelerators()[i])] = true;
  }
  // All accelerators of a half are one node: sources 0, sinks 1.
  const auto id = [&](NodeId n) {
    const auto i = static_cast<std::size_t>(n);
    return first[i] ? 0 : second[i] ? 1 : i + 2;
  };
  FlowGraph g(nodes + 2);
  Capacity leaves = 0;
  for (const NetworkLink& l : network.links()) {
    const std::size_t from = id(l.from), to = id(l.to);
    // What returns to the sources or leaves the sinks again carries nothing across.
    if (l.failed || from == to || to == 0 || from == 1) continue;
    const Capacity capacity = std::llround(l.bandwidth.base());
    if (from == 0) leaves += capacity;
    add_link(g, from, to, capacity);
  }
  if (leaves == 0) return {};
  return Bandwidth(static_cast<double>(boost::push_relabel_max_flow(g, 0, 1)));
}

}  // namespace forerun::hw
