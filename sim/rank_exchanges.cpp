// What a rank exchanges with the others that hold the same parameters: gradients, bucket by bucket
// or layer by layer, and sharded parameters; and the passes that run beside those exchanges.

#include <algorithm>
#include <vector>

#include "sim/rank_builder.h"

namespace forerun::sim {
namespace {

double data_bytes(double parameters, int bytes) { return parameters * bytes; }

}  // namespace

OperationId RankBuilder::push_data(const PricedOperation& p, OperationId wait) {
  const OperationId id = push(p, wait);
  const bool mirrored = shape_.schedule == PipelineSchedule::dualpipe;
  if (variation_.lanes() == 1 && !mirrored) return id;
  Operation& o = program_.operations.back();
  const std::int64_t stage = mirrored ? std::min(rank_, shape_.ranks - 1 - rank_) : rank_;
  std::vector<std::int32_t>& met = compiled_.data_channels[static_cast<std::size_t>(stage)];
  if (meetings_ == met.size()) met.push_back(compiled_.program.channels++);
  o.rendezvous = true;
  o.channel = met[meetings_++];
  return id;
}

const PricedOperation& RankBuilder::message(const Sends& sends, std::int64_t boundary) const {
  const Chunk& from = chunk_of_model(boundary);
  if (from.encoder && !from.embedding) {
    return sends.items[static_cast<std::size_t>(from.encoder->index)];
  }
  return boundary >= cast_chunk_   ? sends.cast_logits
         : boundary >= head_chunk_ ? sends.logits
                                   : sends.hidden;
}

/// Between pools the networks of both ends carry it: the slower sets the time.
PricedOperation RankBuilder::message(std::int64_t boundary, std::int64_t micro_batch) const {
  const std::size_t composition = variation_.composition(lane_, micro_batch);
  const std::int64_t from = place_of(shape_, boundary, 0).rank;
  const std::int64_t to = place_of(shape_, boundary + 1, 0).rank;
  const std::vector<Parts>& a = compiled_.parts_of(from);
  const std::vector<Parts>& b = compiled_.parts_of(to);
  if (&a == &b) return message(pool_parts_[composition].sends, boundary);
  PricedOperation own = message(pool_parts_[composition].sends_apart, boundary);
  own.ticks = std::max(message(a[composition].sends_apart, boundary).ticks,
                       message(b[composition].sends_apart, boundary).ticks);
  return own;
}

/// The first forward pass of a chunk: each unit waits for its own gathered parameters.
void RankBuilder::first_pass(const std::vector<Unit>& list, std::vector<OperationId> gathers,
                             OperationId wait, OperationId also_wait) {
  hold_compute(wait, also_wait);
  for (std::size_t i = 0; i < list.size(); ++i) {
    issue(list, i, i + 1, "forward", gathers[i], kNone);
  }
}

/// The last backward pass of a chunk: each full bucket is exchanged while the next layers run.
void RankBuilder::reducing_pass(const std::vector<Unit>& list, const char* name, OperationId wait,
                                OperationId also_wait) {
  const Framework& f = scenario_.framework;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const OperationId done =
        issue(list, i, i + 1, name, i == 0 ? wait : kNone, i == 0 ? also_wait : kNone);
    unreduced_ += list[i].parameters;
    unreduced_experts_ += list[i].experts;
    const double waiting = unreduced_ + unreduced_experts_;
    if (data_bytes(waiting, f.gradient_exchange_bytes) >= static_cast<double>(f.bucket_bytes) ||
        i + 1 == list.size()) {
      reduce_gradients(unreduced_, unreduced_experts_, done);
      unreduced_ = unreduced_experts_ = 0;
    }
  }
}

OperationId RankBuilder::gather_parameters(double parameters, double experts, OperationId wait) {
  const int bytes = gather_bytes(scenario_.framework, scenario_.plan.precision);
  const auto gather = [&](const char* name, double count, const PlacedGroup& group) {
    wait = push(
        pricer_.collective(name, hw::CollectiveKind::all_gather, Bytes(data_bytes(count, bytes)),
                           group, StreamKind::data, Category::data_exchange),
        wait);
  };
  if (parameters > 0 || experts <= 0) gather("gather parameters", parameters, layout_.shard);
  if (experts > 0 && layout_.expert_shard.ranks > 1) {
    gather("gather experts", experts, layout_.expert_shard);
  }
  return wait;
}

OperationId RankBuilder::reduce_gradients(double parameters, double experts, OperationId wait) {
  wait = reduce_among(parameters, layout_.data, layout_.shard, wait);
  return reduce_among(experts, layout_.expert_data, layout_.expert_shard, wait);
}

OperationId RankBuilder::reduce_among(double parameters, const PlacedGroup& data,
                                      const PlacedGroup& shard, OperationId wait) {
  const Framework& f = scenario_.framework;
  if (data.ranks <= 1 || parameters <= 0) return wait;
  const Bytes bytes(data_bytes(parameters, f.gradient_exchange_bytes));
  const bool in_full = scenario_.plan.sharding == ShardingStage::none || f.reduces_in_full;
  if (in_full) {
    return push_data(pricer_.collective("all-reduce gradients", hw::CollectiveKind::all_reduce,
                                        bytes, data, StreamKind::data, Category::data_exchange),
                     wait);
  }
  OperationId id =
      push_data(pricer_.collective("reduce-scatter gradients", hw::CollectiveKind::reduce_scatter,
                                   bytes, shard, StreamKind::data, Category::data_exchange),
                wait);
  if (&shard == &layout_.shard && layout_.replicas.ranks > 1) {
    id = push_data(pricer_.collective("all-reduce gradient shards", hw::CollectiveKind::all_reduce,
                                      bytes / static_cast<double>(layout_.shard.ranks),
                                      layout_.replicas, StreamKind::data, Category::data_exchange),
                   id);
  }
  return id;
}

/// FSDP: each layer's parameters are gathered ahead, by as many units as the framework prefetches,
/// and freed after use; the embedding and the head belong to the root unit, gathered once. In the
/// backward pass gradients are reduce-scattered layer by layer.
void RankBuilder::gathered_pass(const std::vector<Unit>& list, bool forward, const char* name,
                                OperationId wait, OperationId also_wait) {
  const auto ahead =
      static_cast<std::size_t>(std::max<std::int64_t>(1, scenario_.framework.prefetch_units));
  double root = 0;
  for (const Unit& u : list) root += u.ends ? u.parameters : 0.0;
  OperationId root_gather = kNone;
  if (forward && root > 0) root_gather = gather_parameters(root, 0, last_compute_);

  std::vector<OperationId> gather(list.size(), kNone), done(list.size(), kNone);
  std::size_t issued = 0;
  const auto issue_gathers = [&](std::size_t until) {
    for (; issued < std::min(until, list.size()); ++issued) {
      if (list[issued].ends) continue;
      // At most `ahead` + 1 gathered units are alive: wait for the one whose memory is reused.
      const OperationId freed = issued > ahead ? done[issued - ahead - 1] : last_compute_;
      gather[issued] = gather_parameters(list[issued].parameters, list[issued].experts, freed);
    }
  };
  for (std::size_t i = 0; i < list.size(); ++i) {
    issue_gathers(i + ahead + 1);
    // Gathers need no message of another stage; the kernels do.
    if (i == 0) hold_compute(wait, also_wait);
    done[i] = issue(list, i, i + 1, name, list[i].ends ? root_gather : gather[i], kNone);
    if (!forward && !list[i].ends) {
      reduce_gradients(list[i].parameters, list[i].experts, done[i]);
    }
  }
  if (!forward && root > 0) reduce_gradients(root, 0, done.back());
}

}  // namespace forerun::sim
