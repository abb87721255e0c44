#include "sim/step_cache.h"

#include <bit>
#include <utility>

#include "sim/price.h"
#include "sim/schedule.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

void add_group(const PlacedGroup& g, std::vector<std::int64_t>& key) {
  key.insert(key.end(), {g.ranks, g.per_domain, g.sharing, g.stride, g.mirrored ? 1 : 0});
}

}  // namespace

void StepCache::add_slice(const Scenario& s, const Layout& layout, Key& key) {
  const Plan& p = s.plan;
  std::int64_t redone = 0;
  for (const models::LayerPart part : p.recompute.parts)
    redone |= std::int64_t{1} << static_cast<int>(part);
  key.reserve(64);
  key.insert(key.end(), {p.tensor, p.context, static_cast<std::int64_t>(p.context_exchange),
                         p.sequence_parallel ? 1 : 0, static_cast<std::int64_t>(p.precision),
                         p.micro_batch, p.sequence, p.expert, p.expert_tensor, p.encoder_tensor,
                         p.encoder_stages, static_cast<std::int64_t>(p.recompute.mode), redone,
                         p.recompute.layers_per_stage > 0 ? 1 : 0, p.recompute.encoders ? 1 : 0,
                         splits_backward(p.schedule) ? 1 : 0, layout.padded_vocab, used_domain(s)});
  for (const PlacedGroup* g : {&layout.tensor, &layout.context, &layout.encoder, &layout.expert,
                               &layout.expert_tensor, &layout.pipeline_link}) {
    add_group(*g, key);
  }
}

const StepCache::Priced& StepCache::priced(const Scenario& s, const Layout& layout,
                                           const Variation& variation) {
  Key slice;
  add_slice(s, layout, slice);
  // The clock is that of the busiest stage: its layers and ends count.
  Key stages = slice;
  const Plan& p = s.plan;
  stages.insert(
      stages.end(),
      {p.pipeline, p.virtual_stages, p.schedule == PipelineSchedule::dualpipe ? 1 : 0,
       p.recompute.layers_per_stage, p.embedding_takes_slot ? 1 : 0, p.loss_takes_slot ? 1 : 0});
  stages.insert(stages.end(), p.layers_of_chunks.begin(), p.layers_of_chunks.end());
  const auto [at, inserted] = by_stages_.try_emplace(std::move(stages));
  Priced& priced = at->second;
  if (!inserted) return priced;

  std::shared_ptr<const std::vector<Parts>>& burst = at_burst_[slice];
  if (!burst) {
    Pricer pricer(s, layout, 1.0, nullptr, &times_);
    burst = std::make_shared<const std::vector<Parts>>(price_parts(s, layout, pricer, variation));
  }
  priced.clock = stages_clock(s, layout, burst->front(), 0, p.pipeline);
  if (priced.clock == 1.0) {
    priced.parts = burst;
    return priced;
  }
  slice.push_back(std::bit_cast<std::int64_t>(priced.clock));
  std::shared_ptr<const std::vector<Parts>>& slowed = at_clock_[std::move(slice)];
  if (!slowed) {
    Pricer pricer(s, layout, priced.clock, nullptr, &times_);
    slowed = std::make_shared<const std::vector<Parts>>(price_parts(s, layout, pricer, variation));
  }
  priced.parts = slowed;
  return priced;
}

}  // namespace forerun::sim
