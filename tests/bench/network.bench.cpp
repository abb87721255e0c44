/// Fidelity "flow" at size: 1,024 accelerators (128 domains of 8, 8 rails, spines at 1:2), the
/// all-to-all of all of them beside an all-reduce of all of them, routes and flows made anew. Goal:
/// under 2 s. Rates of events, solutions and uses of links looked at are counters.

#include <benchmark/benchmark.h>

#include <cstdint>

#include "hw/collective_flows.h"
#include "hw/network_shapes.h"

namespace forerun::hw {
namespace {

void contend(benchmark::State& state, Parts parts) {
  const Network network = load_network("dgx-h100");
  const DomainShape domains{128,    8, network.scale_up, network.inside->hop, network.network,
                            0.24_us};
  const NetworkGraph graph =
      clos(domains, {.rails = true, .domains_per_leaf = 32, .spines = 16, .oversubscription = 2});
  std::int64_t events = 0, solves = 0, uses = 0, flows_made = 0;
  for (auto _ : state) {
    NetworkRoutes routes(graph, 1);
    std::vector<Transfer> flows;
    for (const CollectiveKind kind : {CollectiveKind::all_to_all, CollectiveKind::all_reduce}) {
      FlowCollective c;
      c.kind = kind;
      c.bytes = 1.0_GiB;
      c.ranks = graph.accelerators();
      c.efficiency = efficiency_of(network, kind, c.algorithm);
      c.parts = parts;
      for (Transfer& t : steady_flows(c, routes)) flows.push_back(std::move(t));
    }
    const FlowRun run = simulate_flows(graph, flows);
    benchmark::DoNotOptimize(run.end);
    events += run.events;
    solves += run.solves;
    uses += run.uses_solved;
    flows_made = static_cast<std::int64_t>(flows.size());
  }
  const auto rate = [](std::int64_t n) {
    return benchmark::Counter(static_cast<double>(n), benchmark::Counter::kIsRate);
  };
  state.counters["flows"] = static_cast<double>(flows_made);
  state.counters["events/s"] = rate(events);
  state.counters["solves/s"] = rate(solves);
  state.counters["uses/s"] = rate(uses);
}

/// The solver alone: 1,000 flows over 8 of 4,000 links each, one going and one coming.
void solver(benchmark::State& state) {
  MaxMin m(std::vector<double>(4000, 1e9));
  std::vector<std::vector<LinkUse>> ways(1000);
  for (std::size_t f = 0; f < ways.size(); ++f) {
    for (std::size_t h = 0; h < 8; ++h) {
      ways[f].push_back(
          {static_cast<std::int32_t>((f * 7919 + h * 500 + f % 500) % 500 + h * 500)});
    }
  }
  std::vector<MaxMin::Flow> ids;
  for (const auto& way : ways) ids.push_back(m.add(way));
  std::size_t next = 0;
  for (auto _ : state) {
    m.remove(ids[next]);
    ids[next] = m.add(ways[next]);
    benchmark::DoNotOptimize(m.solve().size());
    next = (next + 1) % ids.size();
  }
  state.SetItemsProcessed(state.iterations());
}

void by_domain(benchmark::State& state) { contend(state, Parts::domain); }
void by_rank(benchmark::State& state) { contend(state, Parts::rank); }

BENCHMARK(by_domain)->Name("flow/1024_ranks_parts_of_domains")->Unit(benchmark::kMillisecond);
BENCHMARK(by_rank)->Name("flow/1024_ranks_parts_of_ranks")->Unit(benchmark::kMillisecond);
BENCHMARK(solver)->Name("max_min/one_of_1000_flows")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace forerun::hw
