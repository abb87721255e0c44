// One-knob changes of a plan, tried by the same walk.

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "sim/memory.h"

namespace forerun::sim {
namespace {

/// A changed plan, or nothing where the change makes no sense.
struct Change {
  std::string what;
  std::optional<Plan> plan;
};

bool divides(std::int64_t divisor, std::int64_t value) { return value % divisor == 0; }

Change sequence_parallel(const Plan& p) {
  if (p.tensor == 1 || p.sequence_parallel || !divides(p.tensor, p.sequence)) return {};
  Plan next = p;
  next.sequence_parallel = true;
  return {"sequence_parallel on", next};
}

Change more_sharding(const Plan& p) {
  if (p.data * p.context == 1 || p.sharding == ShardingStage::parameters) return {};
  Plan next = p;
  const int stage = static_cast<int>(p.sharding) + 1;
  // Gradients and parameters cut over the data group would be exchanged in every micro-batch of a
  // pipeline.
  if (p.pipeline > 1 && stage > 1) return {};
  next.sharding = static_cast<ShardingStage>(stage);
  return {fmt::format("sharding stage {} -> {}", stage - 1, stage), next};
}

Change smaller_micro_batch(const Plan& p) {
  if (p.micro_batch < 2 || !divides(2, p.micro_batch)) return {};
  Plan next = p;
  next.micro_batch = p.micro_batch / 2;
  return {fmt::format("micro_batch {} -> {}", p.micro_batch, next.micro_batch), next};
}

Change more_recompute(const Plan& p, RecomputeMode mode) {
  const bool more = mode == RecomputeMode::full ? p.recompute.mode != RecomputeMode::full ||
                                                      p.recompute.layers_per_stage > 0
                                                : p.recompute.mode == RecomputeMode::none;
  if (!more) return {};
  Plan next = p;
  next.recompute = {};
  next.recompute.mode = mode;
  if (mode == RecomputeMode::selective) {
    next.recompute.parts = {models::LayerPart::core_attention};
    return {"recompute core attention", next};
  }
  return {"recompute all layers", next};
}

Change more_tensor(const Scenario& s) {
  const Plan& p = s.plan;
  if (!divides(2, p.data) || !divides(2 * p.tensor, s.model.heads) ||
      2 * p.tensor > s.network.domain) {
    return {};
  }
  Plan next = p;
  next.tensor *= 2;
  next.data /= 2;
  return {fmt::format("tensor {} -> {}, data {} -> {}", p.tensor, next.tensor, p.data, next.data),
          next};
}

Change more_pipeline(const Scenario& s) {
  const Plan& p = s.plan;
  if (!s.pools.empty() || p.layers_by_time) return {};
  if (!divides(2, p.data) || s.model.layers < 2 * p.pipeline * p.virtual_stages) return {};
  Plan next = p;
  next.pipeline *= 2;
  next.layers_of_chunks.clear();
  next.data /= 2;
  const bool interleaved = p.schedule == PipelineSchedule::interleaved;
  if (interleaved && !divides(next.pipeline, next.micro_batches())) return {};
  return {
      fmt::format("pipeline {} -> {}, data {} -> {}", p.pipeline, next.pipeline, p.data, next.data),
      next};
}

Change more_expert(const Scenario& s) {
  const Plan& p = s.plan;
  if (!s.model.experts) return {};
  Plan next = p;
  next.expert *= 2;
  return {fmt::format("expert {} -> {}", p.expert, next.expert), next};
}

}  // namespace

std::vector<std::string> memory_remedies(const Scenario& scenario) {
  const Plan& p = scenario.plan;
  std::vector<std::string> found;
  Problems broken_before;
  check_scenario(scenario, broken_before);
  for (const Change& change :
       {sequence_parallel(p), more_sharding(p), more_recompute(p, RecomputeMode::selective),
        more_expert(scenario), smaller_micro_batch(p), more_recompute(p, RecomputeMode::full),
        more_tensor(scenario), more_pipeline(scenario)}) {
    if (!change.plan || change.plan->micro_batches() < 1) continue;
    Scenario changed = scenario;
    changed.plan = *change.plan;
    Problems broken;
    check_scenario(changed, broken);
    if (broken.list().size() > broken_before.list().size()) continue;
    const MemoryResult result = step_memory(changed, make_layout(changed), Remedies::skip);
    if (!result.fits) continue;
    const Bytes spare = result.capacity - result.stages[result.worst].reserved;
    found.push_back(fmt::format("{} ({:.1f} GiB to spare)", change.what, spare.in(1.0_GiB)));
  }
  return found;
}

}  // namespace forerun::sim
