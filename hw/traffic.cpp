#include "hw/traffic.h"

#include <algorithm>

namespace forerun::hw {
namespace {

/// The network where NCCL is held to one algorithm.
Network held_to(Network n, FlowAlgorithm algorithm) {
  n.sharp = false;
  if (algorithm == FlowAlgorithm::ring) n.tree_efficiency = 0;
  return n;
}

/// How many of a job's groups use a domain that its first group uses.
std::int64_t sharing_of(const NetworkGraph& graph, const NetworkJob& job) {
  const auto domain = [&](std::int64_t place) {
    return graph.node(graph.accelerators()[static_cast<std::size_t>(place)]).domain;
  };
  std::int64_t sharing = 0;
  for (std::int64_t g = 0; g < job.groups; ++g) {
    const std::vector<std::int64_t> all = places(job, g);
    sharing += std::any_of(all.begin(), all.end(),
                           [&](std::int64_t p) { return domain(p) == domain(job.first); })
                   ? 1
                   : 0;
  }
  return sharing;
}

std::vector<NodeId> ranks_of(const Topology& t, const NetworkJob& job, std::int64_t group) {
  std::vector<NodeId> ranks;
  for (const std::int64_t p : places(job, group)) {
    ranks.push_back(t.graph.accelerators()[static_cast<std::size_t>(p)]);
  }
  return ranks;
}

Seconds end_of(const FlowRun& run, std::size_t first, std::size_t last) {
  Seconds end{};
  for (std::size_t i = first; i < last; ++i) end = std::max(end, run.transfers[i].end);
  return end;
}

/// The link that these transfers' bytes fill longest.
void find_fullest(const NetworkGraph& graph, const std::vector<Transfer>& flows, JobTime& time) {
  std::vector<double> bytes(graph.links().size());
  for (const Transfer& t : flows) {
    for (const LinkUse& u : t.uses) {
      bytes[static_cast<std::size_t>(u.link)] += u.share * t.bytes.base();
    }
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const Seconds filled = Bytes(bytes[i]) / graph.links()[i].bandwidth;
    // A later link of the same load, but for rounding, is not another answer.
    if (filled.base() > time.filled.base() * (1 + 1e-9)) {
      time.filled = filled;
      time.fullest = graph.link_name(static_cast<LinkId>(i));
    }
  }
}

}  // namespace

CollectiveTime analytic_time(const Topology& t, const NetworkJob& job) {
  if (!t.network) return {};
  const Group group = group_of(t.graph, ranks_of(t, job, 0), sharing_of(t.graph, job));
  return collective_time(job.kind, job.bytes, group, held_to(*t.network, job.algorithm));
}

std::vector<FlowCollective> collectives_of(const Topology& t, const NetworkJob& job,
                                           std::uint64_t tag) {
  std::vector<FlowCollective> all;
  for (std::int64_t g = 0; g < job.groups; ++g) {
    FlowCollective& c = all.emplace_back();
    c.kind = job.kind;
    c.bytes = job.bytes;
    c.ranks = ranks_of(t, job, g);
    c.algorithm = job.algorithm;
    c.paths = t.paths;
    c.start = job.start;
    c.tag = tag + static_cast<std::uint64_t>(g);
    if (t.network) c.efficiency = efficiency_of(*t.network, job.kind, job.algorithm);
  }
  const Seconds latency = analytic_time(t, job).latency;
  for (FlowCollective& c : all) c.latency = latency;
  return all;
}

Traffic run_jobs(const Topology& t, std::uint64_t seed) {
  NetworkRoutes routes(t.graph, seed);
  Traffic traffic;
  std::vector<Transfer> together;
  std::vector<std::size_t> first;
  std::uint64_t tag = 0;
  for (const NetworkJob& job : t.jobs) {
    std::vector<Transfer> flows;
    for (const FlowCollective& c : collectives_of(t, job, tag)) {
      for (Transfer& flow : steady_flows(c, routes)) flows.push_back(std::move(flow));
    }
    tag += static_cast<std::uint64_t>(job.groups);
    JobTime& time = traffic.jobs.emplace_back();
    time.analytic = analytic_time(t, job).time;
    time.alone = simulate_flows(t.graph, flows).end - job.start;
    time.bus_alone = bus_bandwidth(job.kind, job.bytes, job.count, time.alone);
    find_fullest(t.graph, flows, time);
    first.push_back(together.size());
    for (Transfer& flow : flows) together.push_back(std::move(flow));
  }
  first.push_back(together.size());
  traffic.run = simulate_flows(t.graph, together);
  for (std::size_t i = 0; i < t.jobs.size(); ++i) {
    JobTime& time = traffic.jobs[i];
    time.beside = end_of(traffic.run, first[i], first[i + 1]) - t.jobs[i].start;
    time.bus = bus_bandwidth(t.jobs[i].kind, t.jobs[i].bytes, t.jobs[i].count, time.beside);
  }
  return traffic;
}

}  // namespace forerun::hw
