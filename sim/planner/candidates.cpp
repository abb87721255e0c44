#include "sim/planner/candidates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/error.h"

namespace forerun::sim {
namespace {

constexpr std::size_t kMostCandidates = 10'000'000;

/// Fills `out` knob by knob. What a rule of check_scenario forbids whatever the inner knobs are is
/// not gone into (candidates.test.cpp holds the two to each other).
class Crossing {
 public:
  Crossing(const SearchSpace& space, const Scenario& s, Candidates& out)
      : space_(space), s_(s), out_(out) {
    const auto n = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
    inner_ = n(space.recompute);
    of_sharding_ = inner_ * n(space.sharding);
    of_micro_batch_ = of_sharding_ * n(space.micro_batch);
    of_sequence_ = of_micro_batch_ * n(space.sequence_parallel);
    of_schedule_ = of_sequence_ * n(space.schedule) * n(space.virtual_stages);
    of_experts_ = of_schedule_ * n(space.expert) * n(space.expert_tensor);
    // One schedule stands for all where there is one stage.
    for (const PipelineSchedule schedule : space.schedule) {
      const bool needs_stages =
          schedule == PipelineSchedule::interleaved || schedule == PipelineSchedule::dualpipe;
      if (!needs_stages && !of_one_stage_) of_one_stage_ = schedule;
    }
    out.crossed = of_experts_ * n(space.tensor) * n(space.pipeline) * n(space.context);
  }

  void run() {
    for (const std::int64_t tensor : space_.tensor) {
      for (const std::int64_t context : space_.context) {
        for (const std::int64_t pipeline : space_.pipeline) degrees(tensor, context, pipeline);
      }
    }
  }

 private:
  void impossible(std::int64_t plans) { out_.impossible += plans; }
  void same(std::int64_t plans) { out_.same += plans; }

  void degrees(std::int64_t tensor, std::int64_t context, std::int64_t pipeline) {
    const std::int64_t model = tensor * context * pipeline;
    const models::Architecture& a = s_.model;
    const bool cuts =
        a.heads % tensor == 0 && a.ffn % tensor == 0 && s_.plan.sequence % context == 0;
    if (s_.accelerators % model != 0 || !cuts) return impossible(of_experts_);
    c_ = {};
    c_.tensor = static_cast<std::int32_t>(tensor);
    c_.context = static_cast<std::int32_t>(context);
    c_.pipeline = static_cast<std::int32_t>(pipeline);
    c_.data = static_cast<std::int32_t>(s_.accelerators / model);
    if (s_.plan.global_batch % c_.data != 0) return impossible(of_experts_);
    for (const std::int64_t expert : space_.expert) {
      for (const std::int64_t expert_tensor : space_.expert_tensor) {
        const std::int64_t stage = tensor * context * c_.data;
        if (stage % (expert * expert_tensor) != 0) {
          impossible(of_schedule_);
          continue;
        }
        c_.expert = static_cast<std::int32_t>(expert);
        c_.expert_tensor = static_cast<std::int32_t>(expert_tensor);
        schedules();
      }
    }
  }

  void schedules() {
    for (const PipelineSchedule schedule : space_.schedule) {
      for (const std::int64_t virtual_stages : space_.virtual_stages) {
        const bool interleaved = schedule == PipelineSchedule::interleaved;
        if (c_.pipeline == 1 && schedule != of_one_stage_) {
          same(of_sequence_);
        } else if (interleaved != (virtual_stages > 1) || !divides_layers(virtual_stages)) {
          impossible(of_sequence_);
        } else {
          c_.schedule = schedule;
          c_.virtual_stages = static_cast<std::int32_t>(virtual_stages);
          sequences();
        }
      }
    }
  }

  [[nodiscard]] bool divides_layers(std::int64_t virtual_stages) const {
    if (virtual_stages == 1) return true;
    const Plan& p = s_.plan;
    const std::int64_t slots = s_.model.layers + (p.embedding_takes_slot ? 1 : 0) +
                               (p.loss_takes_slot ? 1 + s_.model.multi_token_prediction : 0);
    const std::int64_t chunks = virtual_stages * c_.pipeline - p.encoder_stages;
    return c_.pipeline > 1 && chunks > 0 && slots % chunks == 0;
  }

  void sequences() {
    for (const bool parallel : space_.sequence_parallel) {
      if (parallel && c_.tensor == 1 && space_.sequence_parallel.size() > 1) {
        same(of_micro_batch_);
        continue;
      }
      c_.sequence_parallel = parallel;
      for (const std::int64_t micro_batch : space_.micro_batch) {
        const std::int64_t of_replica = s_.plan.global_batch / c_.data;
        const std::int64_t count = of_replica / micro_batch;
        if (of_replica % micro_batch != 0 ||
            (c_.schedule == PipelineSchedule::interleaved && count % c_.pipeline != 0)) {
          impossible(of_sharding_);
          continue;
        }
        c_.micro_batch = static_cast<std::int32_t>(micro_batch);
        shardings();
      }
    }
  }

  void shardings() {
    const bool one_rank = c_.data * c_.context == 1 && c_.schedule != PipelineSchedule::dualpipe;
    for (const ShardingStage sharding : space_.sharding) {
      const bool in_pipeline = sharding >= ShardingStage::gradients && c_.pipeline > 1;
      if (one_rank && sharding != space_.sharding.front()) {
        same(inner_);
      } else if (in_pipeline && !space_.sharded_pipelines) {
        impossible(inner_);
      } else {
        c_.sharding = sharding;
        recomputes();
      }
    }
  }

  void recomputes() {
    const std::int64_t chunks = std::int64_t{c_.pipeline} * c_.virtual_stages;
    const std::int64_t most = (s_.model.layers + chunks - 1) / chunks;
    std::int64_t before = 0;
    for (std::size_t i = 0; i < space_.recompute.size(); ++i) {
      const RecomputeChoice& choice = space_.recompute[i];
      std::int64_t layers = choice.recompute.layers_per_stage;
      if (choice.share < 1) {
        layers = std::llround(choice.share * static_cast<double>(most));
        if (layers == 0 || layers >= most || layers == before) {
          same(1);
          continue;
        }
        before = layers;
      }
      c_.recompute = static_cast<std::uint16_t>(i);
      c_.layers_per_stage = static_cast<std::int32_t>(layers);
      if (out_.list.size() >= kMostCandidates) {
        throw Error(ExitCode::wrong,
                    fmt::format("the search space holds more than {} plans", kMostCandidates),
                    "state fewer values under \"plan\" of the search file");
      }
      out_.list.push_back(c_);
    }
  }

  const SearchSpace& space_;
  const Scenario& s_;
  Candidates& out_;
  Candidate c_;
  std::optional<PipelineSchedule> of_one_stage_;
  std::int64_t inner_ = 0, of_sharding_ = 0, of_micro_batch_ = 0, of_sequence_ = 0,
               of_schedule_ = 0, of_experts_ = 0;
};

}  // namespace

Candidates candidates(const SearchSpace& space, const Scenario& s) {
  Candidates out;
  Crossing(space, s, out).run();
  return out;
}

void put(const Candidate& c, const SearchSpace& space, const Plan& base, Plan& plan) {
  plan.data = c.data;
  plan.tensor = c.tensor;
  plan.pipeline = c.pipeline;
  plan.context = c.context;
  plan.expert = c.expert;
  plan.expert_tensor = c.expert_tensor;
  plan.virtual_stages = c.virtual_stages;
  plan.micro_batch = c.micro_batch;
  plan.sequence_parallel = c.sequence_parallel;
  plan.sharding = c.sharding;
  plan.schedule = c.schedule;
  const RecomputeChoice& choice = space.recompute[c.recompute];
  if (plan.recompute.parts != choice.recompute.parts) {
    plan.recompute.parts = choice.recompute.parts;
  }
  plan.recompute.mode = choice.recompute.mode;
  plan.recompute.encoders = choice.recompute.encoders;
  plan.recompute.layers_per_stage = c.layers_per_stage;
  plan.encoder_tensor = std::gcd(base.encoder_tensor, plan.tensor);
  // Layers that were counted out for other chunks are divided as the framework does.
  const bool stated =
      !base.layers_of_chunks.empty() &&
      std::ssize(base.layers_of_chunks) == std::int64_t{c.pipeline} * c.virtual_stages;
  if (stated != !plan.layers_of_chunks.empty()) {
    plan.layers_of_chunks = stated ? base.layers_of_chunks : std::vector<std::int64_t>{};
  }
  plan.layers_by_time = stated && base.layers_by_time;
  const bool sharded = plan.sharding != ShardingStage::none;
  const bool divides = base.shard_group > 0 && (plan.data * plan.context) % base.shard_group == 0;
  plan.shard_group = sharded && divides ? base.shard_group : 0;
}

}  // namespace forerun::sim
