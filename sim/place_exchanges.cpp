#include "sim/place_exchanges.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "hw/collective_flows.h"
#include "hw/topology.h"
#include "hw/traffic.h"
#include "sim/layout.h"
#include "sim/link_classes.h"

namespace forerun::sim {
namespace {

/// Which ranks take part: groups of a kind of one simulated rank, and the stage that a message or
/// the other half of a group lies on.
struct PatternKey {
  PlacedGroup group;
  hw::CollectiveKind kind;
  hw::FlowAlgorithm algorithm;
  std::int64_t stage, other, lane;
  auto operator<=>(const PatternKey&) const = default;
};

class Placer {
 public:
  Placer(const Scenario& s, std::int64_t lanes)
      : s_(s),
        topology_(*s.topology),
        intact_(topology_.intact ? *topology_.intact : topology_.graph),
        routes_(topology_.graph, s.seed),
        intact_routes_(intact_, s.seed),
        lanes_(lanes),
        stage_(s.plan.tensor * s.plan.context * s.plan.data),
        used_(used_domain(s)) {}

  /// What groups of that key load for a byte of the collective's buffer.
  [[nodiscard]] LinkPattern pattern(const PatternKey& key);
  /// The same of another job's groups.
  [[nodiscard]] LinkPattern pattern(const hw::NetworkJob& job, std::uint64_t tag);

 private:
  using Groups = std::vector<std::vector<std::int64_t>>;
  [[nodiscard]] Groups groups_of(const PatternKey& key) const;
  /// Of one simulated rank's part: the whole stage unless lanes have groups of their own.
  [[nodiscard]] bool spans_lanes(const PatternKey& key) const {
    const std::int64_t ranks = key.group.mirrored ? key.group.ranks / 2 : key.group.ranks;
    return key.group.stride < stage_ && ranks * key.group.stride > stage_ / lanes_;
  }
  [[nodiscard]] hw::NodeId node(const hw::NetworkGraph& graph, std::int64_t rank) const {
    const std::int64_t domain = s_.placement.first + rank / used_ * s_.placement.every;
    return graph.accelerator(static_cast<std::int32_t>(domain),
                             static_cast<std::int32_t>(rank % used_));
  }
  /// Bytes on each link for a byte of a collective's buffer: as the network is, and with nothing
  /// failed (where something is).
  struct Loads {
    std::map<hw::LinkId, double> now, intact;
  };
  void load(const hw::FlowCollective&, Loads&);
  [[nodiscard]] LinkPattern finished(const Loads&) const;

  const Scenario& s_;
  const hw::Topology& topology_;
  const hw::NetworkGraph& intact_;
  hw::NetworkRoutes routes_, intact_routes_;
  std::int64_t lanes_, stage_, used_;
};

Placer::Groups Placer::groups_of(const PatternKey& key) const {
  const PlacedGroup& g = key.group;
  const bool whole = spans_lanes(key);
  const std::int64_t width = whole ? stage_ : stage_ / lanes_;
  const std::int64_t first = whole ? 0 : key.lane * width;
  Groups groups;
  if (g.stride >= stage_) {  // pairs of stages
    for (std::int64_t i = first; i < first + width; ++i) {
      groups.push_back({key.stage * stage_ + i, key.other * stage_ + i});
    }
    return groups;
  }
  const std::int64_t ranks = g.mirrored ? g.ranks / 2 : g.ranks;
  for (std::int64_t block = first; block < first + width; block += ranks * g.stride) {
    for (std::int64_t o = 0; o < g.stride; ++o) {
      const std::vector<std::int64_t> members = members_in_stage(g, block + o);
      std::vector<std::int64_t>& group = groups.emplace_back();
      for (const std::int64_t stage : {key.stage, key.other}) {
        if (stage < 0) continue;
        for (const std::int64_t m : members) group.push_back(stage * stage_ + m);
      }
    }
  }
  return groups;
}

void Placer::load(const hw::FlowCollective& c, Loads& loads) {
  const auto add = [&](hw::NetworkRoutes& routes, std::map<hw::LinkId, double>& bytes) {
    for (const hw::Transfer& t : hw::steady_flows(c, routes)) {
      for (const hw::LinkUse& u : t.uses) {
        bytes[u.link] += u.share * (t.bytes / c.bytes);
      }
    }
  };
  add(routes_, loads.now);
  // Nodes have the same numbers in both graphs.
  if (topology_.intact) add(intact_routes_, loads.intact);
}

LinkPattern Placer::finished(const Loads& loads) const {
  LinkPattern p;
  for (const auto& [id, load] : topology_.intact ? loads.intact : loads.now) {
    const hw::NetworkLink& l = intact_.link(id);
    const auto ends_at = [&](hw::NodeKind kind) {
      return intact_.node(l.from).kind == kind || intact_.node(l.to).kind == kind;
    };
    if (!ends_at(hw::NodeKind::accelerator) && !ends_at(hw::NodeKind::nic)) continue;
    double& most = l.scale_up ? p.scale_up_seconds : p.network_seconds;
    double& busiest = l.scale_up ? p.scale_up_busiest : p.network_busiest;
    most = std::max(most, load / l.bandwidth.base());
    busiest = std::max(busiest, load);
  }
  for (const auto& [id, load] : loads.now) p.uses.push_back({id, load});
  return p;
}

LinkPattern Placer::pattern(const PatternKey& key) {
  const bool message = key.kind == hw::CollectiveKind::send_receive;
  const bool of_stages = message && key.group.stride >= stage_;
  hw::FlowCollective c;
  c.kind = key.kind;
  c.bytes = Bytes(1);
  c.algorithm = key.algorithm;
  c.efficiency = hw::efficiency_of(s_.network, key.kind, key.algorithm);
  c.parts = hw::Parts::all;
  c.paths = topology_.paths;
  Loads loads;
  for (const std::vector<std::int64_t>& group : groups_of(key)) {
    std::vector<hw::NodeId> ranks;
    for (const std::int64_t r : group) ranks.push_back(node(topology_.graph, r));
    if (!of_stages) {
      std::ranges::sort(ranks, {}, [&](hw::NodeId n) {
        const hw::NetworkNode& at = topology_.graph.node(n);
        return std::pair(at.domain, at.position);
      });
    }
    // Each group has queue pairs, and so hashes, of its own; 16 bits of them.
    c.tag = (static_cast<std::uint64_t>(ranks.front()) * 8 + static_cast<std::uint64_t>(key.kind)) &
            0xffff;
    if (!message || of_stages) {
      c.ranks = ranks;
      load(c, loads);
      continue;
    }
    // Inside a stage each rank passes on to the next, all at once.
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      c.ranks = {ranks[i], ranks[(i + 1) % ranks.size()]};
      load(c, loads);
    }
  }
  LinkPattern p = finished(loads);
  const bool of_two_stages = key.group.mirrored || (key.group.stride >= stage_ && !message);
  p.part =
      (spans_lanes(key) ? 1.0 / static_cast<double>(lanes_) : 1.0) * (of_two_stages ? 0.5 : 1.0);
  return p;
}

LinkPattern Placer::pattern(const hw::NetworkJob& job, std::uint64_t tag) {
  Loads loads;
  for (const hw::FlowCollective& c : hw::collectives_of(topology_, job, tag)) load(c, loads);
  return finished(loads);
}

}  // namespace

SharedLinks place_exchanges(const Scenario& s, const Program& program, std::int64_t lanes,
                            const std::vector<PricedExchange>& exchanges,
                            const std::vector<std::vector<std::int32_t>>& exchange_of) {
  Placer placer(s, lanes);
  LinkClasses classes(s.topology->graph);
  const std::int64_t pipeline = s.plan.pipeline;
  std::map<PatternKey, std::int32_t> patterns;
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> flows;  // pattern, exchange
  // Whom a message goes to, and who else has the tied matrix, by channel.
  std::vector<std::int64_t> receiver(static_cast<std::size_t>(program.channels), -1);
  std::map<std::int32_t, std::pair<std::int64_t, std::int64_t>> meeting;  // stages of a rendezvous
  const auto stage_of = [&](std::size_t rank) {
    return static_cast<std::int64_t>(rank) % pipeline;
  };
  for (std::size_t r = 0; r < program.ranks.size(); ++r) {
    for (const Operation& o : program.ranks[r].operations) {
      if (o.receives) receiver[static_cast<std::size_t>(o.channel)] = stage_of(r);
      if (!o.rendezvous) continue;
      const auto [at, first] = meeting.try_emplace(o.channel, stage_of(r), stage_of(r));
      at->second.second = std::max(at->second.second, stage_of(r));
      at->second.first = std::min(at->second.first, stage_of(r));
    }
  }
  SharedLinks links;
  links.of.resize(program.ranks.size());
  for (std::size_t r = 0; r < program.ranks.size(); ++r) {
    const std::vector<Operation>& operations = program.ranks[r].operations;
    links.of[r].assign(operations.size(), -1);
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const std::int32_t index = exchange_of[r][i];
      if (index < 0) continue;
      const PricedExchange& e = exchanges[static_cast<std::size_t>(index)];
      const Operation& o = operations[i];
      PatternKey key{e.group,     e.kind, e.algorithm,
                     stage_of(r), -1,     static_cast<std::int64_t>(r) / pipeline};
      if (o.sends) {
        key.other = receiver[static_cast<std::size_t>(o.channel)];
      } else if (e.group.mirrored) {
        key.other = pipeline - 1 - key.stage;
        if (key.other < key.stage) std::swap(key.stage, key.other);
      } else if (o.rendezvous && meeting.at(o.channel).first != meeting.at(o.channel).second) {
        std::tie(key.stage, key.other) = meeting.at(o.channel);
      }
      const auto [at, fresh] =
          patterns.try_emplace(key, static_cast<std::int32_t>(patterns.size()));
      if (fresh) classes.add(placer.pattern(key));
      const auto [flow, new_flow] = flows.try_emplace(
          std::pair(at->second, index), static_cast<std::int32_t>(links.flows.size()));
      if (new_flow) {
        links.flows.push_back(
            classes.flow(static_cast<std::size_t>(at->second), e.rate, e.latency_share));
      }
      classes.count(static_cast<std::size_t>(at->second), static_cast<std::int64_t>(r),
                    static_cast<std::int64_t>(o.stream));
      links.of[r][i] = flow->second;
    }
  }
  std::uint64_t tag = 1 << 16;  // beyond those of the model's groups
  for (const hw::NetworkJob& job : s.beside) {
    const auto index = static_cast<std::int32_t>(links.flows.size());
    links.background.push_back(index);
    const std::size_t pattern = classes.add(placer.pattern(job, tag));
    tag += static_cast<std::uint64_t>(job.groups);
    classes.count(pattern, -1, index);
    // Latency is part of its pace: it begins again as soon as it ends.
    const Seconds alone = hw::analytic_time(*s.topology, job).time;
    links.flows.push_back(classes.flow(pattern, job.bytes / alone, 0));
  }
  classes.finish(links);
  return links;
}

}  // namespace forerun::sim
