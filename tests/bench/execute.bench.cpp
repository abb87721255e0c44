/// execute() on synthetic pipelines: operations (each an event) a second, the making of the spans
/// included. A third of the time of a large program is the kernel's, for pages that it sees first.
/// Goals: 16 ranks and 123,000 operations in 25 ms; a program that fits the caches
/// (execute/8_ranks) at half of the events a second of a bare 4-ary heap of 1,000 entries. With as
/// many ranks as entries (execute/entries) every event finds its rank in no cache, which a bare
/// heap has not to pay.

#include <benchmark/benchmark.h>

#include <cstdint>

#include "sim/attribution.h"
#include "sim/critical_path.h"
#include "sim/trace.h"
#include "tests/programs.h"

namespace forerun::sim {
namespace {

std::int64_t operations(const Program& p) {
  std::size_t sum = 0;
  for (const RankProgram& r : p.ranks) sum += r.operations.size();
  return static_cast<std::int64_t>(sum);
}

/// 1F1B with exchanges after every product.
Program pipeline(std::int64_t ranks, std::int64_t micro_batches, std::int64_t layers) {
  return pipeline_program({PipelineSchedule::one_forward_one_backward, ranks, 1, micro_batches, 0},
                          {.forward = 1'000'003,
                           .backward = 2'000'029,
                           .layers = layers,
                           .exchange = 100'003,
                           .message = 50'021,
                           .host = 5'003});
}

void run(benchmark::State& state, const Program& program) {
  for (auto _ : state) benchmark::DoNotOptimize(execute(program).end);
  state.SetItemsProcessed(state.iterations() * operations(program));
  state.counters["operations"] = static_cast<double>(operations(program));
}

void small(benchmark::State& state) { run(state, pipeline(8, 32, 8)); }
void large(benchmark::State& state) { run(state, pipeline(16, 113, 16)); }

/// As many ranks as entries in the queue, each with one stream, no messages.
void many_ranks(benchmark::State& state) {
  const std::int64_t each = 200'000 / state.range(0);
  Program program = empty_program(state.range(0));
  for (std::int64_t r = 0; r < state.range(0); ++r) {
    for (std::int64_t i = 0; i < each; ++i) {
      add(program, r, compute(1000 + (r * 7919 + i * 104729) % 100003));
    }
  }
  run(state, program);
}

/// Compute slowed by what runs beside it: every exchange dates it anew twice.
void taxed(benchmark::State& state) {
  Program program = pipeline(16, 113, 16);
  for (RankProgram& rank : program.ranks) {
    for (Operation& o : rank.operations) {
      if (o.stream != StreamKind::compute) o.tax = 10;
    }
  }
  run(state, program);
}

void attributed(benchmark::State& state) {
  const Program program = pipeline(16, 113, 16);
  const Execution execution = execute(program);
  for (auto _ : state) {
    const Causality causality(program, execution);
    std::int64_t idle = 0;
    for (std::int32_t r = 0; r < 16; ++r) {
      idle += attribute(causality, r).total(Category::bubble);
    }
    benchmark::DoNotOptimize(idle + critical_path(causality).ticks[0]);
  }
  state.SetItemsProcessed(state.iterations() * operations(program));
}

void traced(benchmark::State& state) {
  const Program program = pipeline(16, 113, 16);
  const Execution execution = execute(program);
  std::size_t bytes = 0;
  for (auto _ : state) bytes = chrome_trace(program, execution).size();
  state.SetItemsProcessed(state.iterations() * operations(program));
  state.counters["bytes"] = static_cast<double>(bytes);
}

BENCHMARK(small)->Name("execute/8_ranks")->Unit(benchmark::kMillisecond);
BENCHMARK(large)->Name("execute/16_ranks_123k_operations")->Unit(benchmark::kMillisecond);
BENCHMARK(many_ranks)
    ->Name("execute/entries")
    ->Arg(1000)
    ->Arg(10000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(taxed)->Name("execute/16_ranks_taxed")->Unit(benchmark::kMillisecond);
BENCHMARK(attributed)->Name("attribution_and_critical_path")->Unit(benchmark::kMillisecond);
BENCHMARK(traced)->Name("chrome_trace")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace forerun::sim
