#include "sim/layers_by_time.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "sim/on_pools.h"
#include "sim/parts.h"
#include "sim/pass_units.h"
#include "sim/schedule.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

/// Of one micro-batch, in ticks, by model chunk.
struct ChunkCosts {
  std::int64_t ends = 0;             ///< all but layers of the language model
  std::vector<std::int64_t> layers;  ///< each of the model's layers, were it here
};

std::int64_t ticks(const Scenario& s, const Layout& layout, const Parts& parts, std::int64_t rank,
                   const Chunk& chunk) {
  std::int64_t sum = 0;
  for (const PassKind pass : {PassKind::forward, PassKind::backward}) {
    for (const Unit& u : pass_units(s, layout, parts, rank, chunk, pass)) sum += u.segment->ticks;
  }
  return sum;
}

std::vector<ChunkCosts> chunk_costs(const Scenario& s) {
  const Layout layout = make_layout(s);
  Scenario balanced = s;
  balanced.expert_loads = {};
  const Variation variation(balanced, layout);
  const OnPools pools(balanced, layout);
  const std::vector<double> clocks = step_clocks(balanced, layout, variation);
  std::vector<Parts> parts;
  std::vector<std::vector<std::int64_t>> layers(pools.size());
  for (std::size_t k = 0; k < pools.size(); ++k) {
    Pricer pricer(pools.scenario(k), pools.layout(k), clocks[k], nullptr);
    parts.push_back(price_parts(pools.scenario(k), pools.layout(k), pricer,
                                variation.slices().front(), {true}));
    for (std::int64_t i = 0; i < s.model.layers; ++i) {
      const LayerPasses& p =
          parts[k].layers[layout.kinds.of[static_cast<std::size_t>(i)]].by_level[0];
      layers[k].push_back(p.forward.ticks + p.backward.whole.ticks);
    }
  }
  const PipelineShape shape = pipeline_shape(s.plan);
  std::vector<ChunkCosts> costs;
  for (std::int64_t c = 0; c < model_chunks(shape); ++c) {
    const ChunkPlace at = place_of(shape, c, 0);
    const std::size_t k = pool_of(s, at.rank);
    Chunk ends =
        layout.chunks[static_cast<std::size_t>(at.rank)][static_cast<std::size_t>(at.chunk)];
    ends.layers = 0;
    costs.push_back(
        {ticks(pools.scenario(k), pools.layout(k), parts[k], at.rank, ends), layers[k]});
  }
  return costs;
}

/// From the last chunk on as many layers as `most` ticks allow; nothing if some are left over.
std::optional<std::vector<std::int64_t>> filled(const std::vector<ChunkCosts>& costs,
                                                std::int64_t first, std::int64_t most) {
  std::vector<std::int64_t> counts(costs.size());
  auto layer = std::ssize(costs.front().layers) - 1;
  for (std::int64_t c = std::ssize(costs) - 1; c >= first; --c) {
    const ChunkCosts& cost = costs[static_cast<std::size_t>(c)];
    std::int64_t left = most - cost.ends;
    if (left < 0) return std::nullopt;
    for (; layer >= 0 && cost.layers[static_cast<std::size_t>(layer)] <= left; --layer) {
      left -= cost.layers[static_cast<std::size_t>(layer)];
      ++counts[static_cast<std::size_t>(c)];
    }
  }
  return layer < 0 ? std::optional(counts) : std::nullopt;
}

}  // namespace

std::vector<std::int64_t> layers_by_time(const Scenario& scenario) {
  Scenario s = scenario;
  const std::int64_t first = s.plan.encoder_stages;
  // Any division at first: with one given the ends lie where they will (sim/layout.h).
  const std::int64_t chunks = model_chunks(pipeline_shape(s.plan)) - first;
  s.plan.layers_of_chunks.assign(static_cast<std::size_t>(first), 0);
  for (std::int64_t c = 0; c < chunks; ++c) {
    s.plan.layers_of_chunks.push_back(s.model.layers * (c + 1) / chunks -
                                      s.model.layers * c / chunks);
  }
  const std::vector<ChunkCosts> costs = chunk_costs(s);
  std::int64_t low = 0, high = 0;  // too little, enough: all layers on the slowest chunk
  for (const ChunkCosts& c : costs) {
    high =
        std::max(high, c.ends + std::accumulate(c.layers.begin(), c.layers.end(), std::int64_t{0}));
  }
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (filled(costs, first, middle) ? high : low) = middle;
  }
  return *filled(costs, first, high);
}

}  // namespace forerun::sim
