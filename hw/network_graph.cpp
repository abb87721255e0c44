#include "hw/network_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/reader.h"

namespace forerun::hw {
namespace {

constexpr std::array kNames = {Choice<NodeKind>{"accelerator", NodeKind::accelerator},
                               Choice<NodeKind>{"NVLink switch", NodeKind::scale_up_switch},
                               Choice<NodeKind>{"NIC", NodeKind::nic},
                               Choice<NodeKind>{"leaf switch", NodeKind::leaf},
                               Choice<NodeKind>{"spine switch", NodeKind::spine},
                               Choice<NodeKind>{"core switch", NodeKind::core}};

}  // namespace

std::string_view name(NodeKind kind) { return name_in(kNames, kind); }

NodeId NetworkGraph::add_node(NetworkNode node) {
  const auto id = static_cast<NodeId>(nodes_.size());
  const bool added = by_name_.try_emplace(node.name, id).second;
  FORERUN_ASSERT(added, node.name);
  if (node.kind == NodeKind::accelerator) {
    accelerators_.push_back(id);
    by_place_[{node.domain, node.position}] = id;
  }
  nodes_.push_back(std::move(node));
  return id;
}

void NetworkGraph::connect(NodeId a, NodeId b, Bandwidth bandwidth, Seconds latency) {
  FORERUN_ASSERT(bandwidth.base() > 0, fmt::format("{} B/s", bandwidth.base()));
  const bool inside =
      node(a).kind == NodeKind::scale_up_switch || node(b).kind == NodeKind::scale_up_switch;
  links_.push_back({a, b, bandwidth, latency, inside});
  links_.push_back({b, a, bandwidth, latency, inside});
}

NodeId NetworkGraph::accelerator(std::int32_t domain, std::int32_t position) const {
  const auto found = by_place_.find({domain, position});
  return found == by_place_.end() ? -1 : found->second;
}

std::string NetworkGraph::link_name(LinkId id) const {
  return fmt::format("{}->{}", node(link(id).from).name, node(link(id).to).name);
}

std::vector<LinkId> NetworkGraph::links_named(std::string_view name) const {
  std::vector<LinkId> found;
  const auto collect = [&](auto meant) {
    for (std::size_t i = 0; i < links_.size(); ++i) {
      if (meant(links_[i])) found.push_back(static_cast<LinkId>(i));
    }
  };
  if (const auto whole = by_name_.find(name); whole != by_name_.end()) {
    const NodeId id = whole->second;
    collect([&](const NetworkLink& l) { return l.from == id || l.to == id; });
    return found;
  }
  // Node names hold single hyphens, no "--" and no ">".
  const std::size_t cable = name.find("--"), arrow = name.find("->");
  const std::size_t at = std::min(cable, arrow);
  if (at == std::string_view::npos) return found;
  const auto a = by_name_.find(name.substr(0, at)), b = by_name_.find(name.substr(at + 2));
  if (a == by_name_.end() || b == by_name_.end()) return found;
  collect([&](const NetworkLink& l) {
    return (l.from == a->second && l.to == b->second) ||
           (at == cable && l.from == b->second && l.to == a->second);
  });
  return found;
}

std::string NetworkGraph::nearest_name(std::string_view name) const {
  std::vector<std::string_view> names;
  const std::size_t at = std::min(name.find("--"), name.find("->"));
  const std::string_view end = at == std::string_view::npos ? name : name.substr(at + 2);
  const std::string_view begin = name.substr(0, at);
  for (const NetworkNode& n : nodes_) names.emplace_back(n.name);
  const std::string near = nearest(by_name_.contains(begin) ? end : begin, names);
  return near.empty() ? "" : fmt::format(", did you mean {}?", near);
}

void NetworkGraph::fail(const std::vector<LinkId>& links) {
  for (const LinkId id : links) links_[static_cast<std::size_t>(id)].failed = true;
}

void NetworkGraph::degrade(const std::vector<LinkId>& links, double share) {
  FORERUN_ASSERT(share > 0 && share <= 1, fmt::format("{}", share));
  for (const LinkId id : links) links_[static_cast<std::size_t>(id)].bandwidth *= share;
}

}  // namespace forerun::hw
