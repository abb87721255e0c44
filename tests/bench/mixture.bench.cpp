/// Compositions drawn from a mixture. Goal: 3 million documents a second.

#include <benchmark/benchmark.h>

#include <cstdint>

#include "models/mixture/composition.h"

namespace forerun::models {
namespace {

/// The most and the shortest documents: molecules of 32 tokens among those of six other modalities.
void draw_compositions(benchmark::State& state) {
  const Mixture mixture = load_mixture("seven-modalities");
  std::int64_t documents = 0, replica = 0;
  for (auto _ : state) {
    documents += draw(mixture, state.range(0), 1, 1, 0, replica++, 0).documents;
  }
  state.counters["documents"] =
      benchmark::Counter(static_cast<double>(documents), benchmark::Counter::kIsRate);
}
BENCHMARK(draw_compositions)->Arg(4096)->Arg(1 << 17);

}  // namespace
}  // namespace forerun::models
