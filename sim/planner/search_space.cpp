#include "sim/planner/search_space.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "models/layers.h"
#include "sim/layout.h"
#include "sim/plan_json.h"

namespace forerun::sim {
namespace {

constexpr std::int64_t kMostMicroBatch = 16;  ///< sequences, by default
constexpr std::int64_t kMostVirtual = 16;
constexpr std::int64_t kMostContext = 16;
constexpr std::int64_t kLongSequence = 16384;  ///< tokens, from which context parallelism is tried
constexpr std::int64_t kMostOfKnob = 1 << 24;

std::vector<std::int64_t> divisors(std::int64_t of, std::int64_t most) {
  std::vector<std::int64_t> all;
  for (std::int64_t d = 1; d <= std::min(of, most); ++d) {
    if (of % d == 0) all.push_back(d);
  }
  return all;
}

std::vector<std::int64_t> powers_of_two(std::int64_t most) {
  std::vector<std::int64_t> all;
  for (std::int64_t d = 1; d <= most; d *= 2) all.push_back(d);
  return all;
}

template <class T>
void also(std::vector<T>& values, const T& value) {
  if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
}

/// Of Megatron-LM and those like it: no recompute, of core attention, of so many layers.
std::vector<RecomputeChoice> usual_recompute() {
  std::vector<RecomputeChoice> all(1);
  RecomputeChoice selective;
  selective.recompute.mode = RecomputeMode::selective;
  selective.recompute.parts = {models::LayerPart::core_attention};
  all.push_back(selective);
  for (const double share : {0.25, 0.5, 0.75, 1.0}) {
    RecomputeChoice full;
    full.recompute.mode = RecomputeMode::full;
    full.share = share;
    all.push_back(full);
  }
  return all;
}

void knob(Reader& at, std::string_view key, std::vector<std::int64_t>& values) {
  if (!at.has(key)) return;
  values = at.integers(key, 1, kMostOfKnob);
  std::ranges::sort(values);
  const auto repeated = std::ranges::unique(values);
  values.erase(repeated.begin(), repeated.end());
  if (values.empty()) at.problem(key, "no value to search");
}

template <class T>
void refuse_empty(Reader& at, std::string_view key, const std::vector<T>& values) {
  if (values.empty()) at.problem(key, "no value to search");
}

std::vector<RecomputeChoice> read_recompute_choices(Reader& at) {
  std::vector<RecomputeChoice> all;
  for (Reader& one : at.objects("recompute")) {
    RecomputeChoice choice;
    if (one.has("share")) choice.share = one.number("share", 0, 1);
    choice.recompute = read_recompute(one);
    if (choice.share < 1 && choice.recompute.mode != RecomputeMode::full) {
      one.problem("share", "given, but the mode is not full");
    }
    if (choice.share < 1 && choice.recompute.layers_per_stage > 0) {
      one.problem("share", "given, and so is layers_per_stage: a choice has one of them");
    }
    also(all, choice);
  }
  refuse_empty(at, "recompute", all);
  return all;
}

}  // namespace

SearchSpace default_space(const Scenario& s) {
  const Plan& own = s.plan;
  SearchSpace space;
  space.tensor = divisors(s.accelerators, std::min(s.network.domain, s.model.heads));
  also(space.tensor, own.tensor);
  // Every chunk has a layer, or a slot.
  space.pipeline = divisors(s.accelerators, s.model.layers + own.encoder_stages);
  also(space.pipeline, own.pipeline);
  // Pools of accelerators begin at stages of their own.
  if (!s.pools.empty()) space.pipeline = {own.pipeline};
  space.context = {1};
  if (own.sequence >= kLongSequence && s.framework.fused_attention) {
    space.context = powers_of_two(kMostContext);
  }
  also(space.context, own.context);
  space.expert = {own.expert};
  space.expert_tensor = {own.expert_tensor};
  if (s.model.experts) {
    space.expert = divisors(s.model.experts->count, s.accelerators);
    also(space.expert, own.expert);
    also(space.expert_tensor, std::int64_t{1});
  }
  for (std::int64_t v = 1; v <= kMostVirtual; ++v) space.virtual_stages.push_back(v);
  also(space.virtual_stages, own.virtual_stages);
  space.micro_batch = powers_of_two(std::min(kMostMicroBatch, own.global_batch));
  also(space.micro_batch, own.micro_batch);
  space.sequence_parallel = {false, true};
  space.sharding = {ShardingStage::none, ShardingStage::optimizer, ShardingStage::gradients,
                    ShardingStage::parameters};
  space.sharded_pipelines = own.pipeline > 1 && own.sharding >= ShardingStage::gradients;
  space.schedule = {PipelineSchedule::one_forward_one_backward, PipelineSchedule::interleaved};
  also(space.schedule, own.schedule);
  space.recompute = usual_recompute();
  RecomputeChoice stated{own.recompute, 1};
  also(space.recompute, stated);
  return space;
}

SearchSpace read_search_space(Reader& at, const Scenario& s) {
  SearchSpace space = default_space(s);
  knob(at, "tensor", space.tensor);
  knob(at, "pipeline", space.pipeline);
  knob(at, "context", space.context);
  knob(at, "expert", space.expert);
  knob(at, "expert_tensor", space.expert_tensor);
  knob(at, "virtual_stages", space.virtual_stages);
  knob(at, "micro_batch", space.micro_batch);
  if (at.has("sequence_parallel")) {
    constexpr std::array<Choice<int>, 3> kChoices{{{"off", 0}, {"on", 1}, {"both", 2}}};
    const int choice = at.choice("sequence_parallel", kChoices);
    space.sequence_parallel =
        choice == 2 ? std::vector<bool>{false, true} : std::vector<bool>{choice == 1};
  }
  if (at.has("sharding")) {
    space.sharding = read_shardings(at, "sharding");
    refuse_empty(at, "sharding", space.sharding);
  }
  if (at.has("sharded_pipelines")) space.sharded_pipelines = at.boolean("sharded_pipelines");
  if (at.has("schedule")) {
    space.schedule = read_schedules(at, "schedule");
    refuse_empty(at, "schedule", space.schedule);
  }
  if (at.has("recompute")) space.recompute = read_recompute_choices(at);
  at.finish();
  return space;
}

}  // namespace forerun::sim
