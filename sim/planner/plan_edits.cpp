#include "sim/planner/plan_edits.h"

#include <fmt/format.h>

#include "sim/plan_json.h"

namespace forerun::sim {

std::vector<std::string> plan_edits(const Plan& from, const Plan& to) {
  std::vector<std::string> edits;
  const auto edit = [&](const char* field, const auto& was, const auto& is) {
    if (was != is) edits.push_back(fmt::format("plan.{}={}", field, is));
  };
  edit("data", from.data, to.data);
  edit("tensor", from.tensor, to.tensor);
  edit("pipeline", from.pipeline, to.pipeline);
  edit("context", from.context, to.context);
  edit("expert", from.expert, to.expert);
  edit("expert_tensor", from.expert_tensor, to.expert_tensor);
  edit("encoder_tensor", from.encoder_tensor, to.encoder_tensor);
  edit("virtual_stages", from.virtual_stages, to.virtual_stages);
  edit("sequence_parallel", from.sequence_parallel, to.sequence_parallel);
  // A plan that names no schedule has the one that goes with its virtual stages.
  edit("schedule", name(from.schedule), name(to.schedule));
  edit("sharding", name(from.sharding), name(to.sharding));
  edit("shard_group", from.shard_group, to.shard_group);
  if (from.recompute != to.recompute) {
    edits.push_back(fmt::format("plan.recompute={}", recompute_json(to.recompute)));
  }
  edit("micro_batch", from.micro_batch, to.micro_batch);
  if (from.layers_of_chunks != to.layers_of_chunks && !from.layers_by_time) {
    edits.push_back(fmt::format("plan.layers_of_chunks=[{}]", fmt::join(to.layers_of_chunks, ",")));
  }
  edit("layers_by_time", from.layers_by_time, to.layers_by_time);
  return edits;
}

}  // namespace forerun::sim
