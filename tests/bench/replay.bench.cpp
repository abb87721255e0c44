/// Replays of a traced job: 1,024 ranks (128 replicas of 8 stages, 16 micro-batches), one step.
/// Goal: 20 million operations a second and core.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "core/error.h"
#include "sim/replay/graph.h"

namespace forerun::replay {
namespace {

/// Passes in a row on each rank, a message between neighbouring stages before each, and one
/// collective of each stage's replicas at the end.
ReplayGraph job(std::int32_t replicas, std::int32_t stages, std::int32_t passes) {
  const std::int32_t per_rank = 3 * passes + 1;
  std::vector<std::pair<std::int32_t, std::int32_t>> waits;
  std::vector<std::vector<std::int32_t>> groups;
  const auto id = [&](std::int32_t replica, std::int32_t stage, std::int32_t k) {
    return (replica * stages + stage) * per_rank + k;
  };
  for (std::int32_t r = 0; r < replicas; ++r) {
    for (std::int32_t s = 0; s < stages; ++s) {
      for (std::int32_t p = 0; p < passes; ++p) {  // receive, pass, send
        const std::int32_t receive = id(r, s, 3 * p);
        waits.emplace_back(receive + 1, receive);
        waits.emplace_back(receive + 2, receive + 1);
        if (p > 0) waits.emplace_back(receive + 1, receive - 2);
        if (s > 0) groups.push_back({id(r, s - 1, 3 * p + 2), receive});
      }
      waits.emplace_back(id(r, s, 3 * passes), id(r, s, 3 * passes - 2));
    }
  }
  for (std::int32_t s = 0; s < stages; ++s) {
    std::vector<std::int32_t>& all = groups.emplace_back();
    for (std::int32_t r = 0; r < replicas; ++r) all.push_back(id(r, s, 3 * passes));
  }
  std::vector<std::int32_t> cycle;
  auto graph = ReplayGraph::make(static_cast<std::size_t>(replicas * stages * per_rank),
                                 std::move(waits), groups, cycle);
  FORERUN_ASSERT(graph.has_value(), "the benchmark's job goes around in a circle");
  return *std::move(graph);
}

void replay_job(benchmark::State& state) {
  const ReplayGraph graph = job(128, 8, 32);
  std::vector<std::int64_t> durations(graph.size());
  for (std::size_t i = 0; i < durations.size(); ++i) {
    durations[i] = static_cast<std::int64_t>(1000 + (i * 7919) % 500);
  }
  for (auto _ : state) benchmark::DoNotOptimize(graph.replay(durations).end.back());
  state.counters["operations/s"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(graph.size()),
      benchmark::Counter::kIsRate);
}
BENCHMARK(replay_job)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace forerun::replay
