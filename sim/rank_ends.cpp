// The beginning and the end of a rank's step: gradients zeroed, weights cast, parameters gathered;
// then the gradient exchange that is left, loss-scale check, norm, optimiser, gather, bookkeeping.

#include "sim/rank_builder.h"

namespace forerun::sim {
namespace {

/// Multi-tensor passes are launched in chunks; their number hardly depends on the parameters.
constexpr int kPassLaunches = 8;

}  // namespace

void RankBuilder::begin_step() {
  const Framework& f = scenario_.framework;
  const Plan& plan = scenario_.plan;
  const double gradients = owned_ > 0 && plan.sharding >= ShardingStage::gradients ? owned_ : held_;
  push(pricer_.memory_pass("zero gradients", Bytes(0), Bytes(gradients * f.gradient_bytes),
                           kPassLaunches, Category::optimizer, &work_, true));

  const std::int64_t times = f.weights_cast_every_micro_batch ? plan.micro_batches() : 1;
  std::vector<Unit> casts;
  for (std::int64_t t = 0; t < times; ++t) add_weight_casts(casts);
  if (!casts.empty()) issue(casts, 0, casts.size(), "weight casts", kNone, kNone);
  // ZeRO-1 and -2: updated parameters are gathered beside the first forward passes, chunk by chunk.
  const bool sharded =
      plan.sharding == ShardingStage::optimizer || plan.sharding == ShardingStage::gradients;
  if (sharded && f.parameter_gather_overlapped && layout_.shard.ranks > 1) {
    const std::vector<UnitList>& forward = lists_[static_cast<std::size_t>(PassKind::forward)];
    for (std::size_t c = 0; c < forward.size(); ++c) {
      for (const Unit& u : forward[c].units) {
        gathered_[c].push_back(gather_parameters(u.parameters, u.experts, kNone));
      }
    }
  }
}

/// Of every layer of the rank, once.
void RankBuilder::add_weight_casts(std::vector<Unit>& casts) const {
  for (const Chunk& chunk : layout_.chunks[static_cast<std::size_t>(rank_)]) {
    for (std::int64_t i = chunk.first_layer; i < chunk.first_layer + chunk.layers; ++i) {
      const Segment& segment =
          parts_.layers[layout_.kinds.of[static_cast<std::size_t>(i)]].weight_casts;
      if (!segment.operations.empty()) casts.push_back({&segment, 0, 0, false});
    }
  }
}

bool RankBuilder::defers(const ScheduledPass& pass) const {
  // FSDP has no pipeline whose idle time would hide it; the frameworks that defer do not shard so.
  if (backward_deferring_.units.empty() || scenario_.plan.pipeline == 1 || fully_sharded()) {
    return false;
  }
  const Chunk& chunk =
      layout_.chunks[static_cast<std::size_t>(rank_)][static_cast<std::size_t>(pass.chunk)];
  return chunk.head && pass.micro_batch < scenario_.framework.deferred_embedding_gradients;
}

/// The output matrix's gradients that were put off, then their exchange.
void RankBuilder::deferred_gradients() {
  if (deferred_ == 0) return;
  const std::vector<Unit> units(static_cast<std::size_t>(deferred_),
                                {&parts_.head_weight_gradient, 0, 0, true});
  const OperationId done =
      issue(units, 0, units.size(), "deferred output matrix gradients", kNone, kNone);
  if (scenario_.framework.gradient_exchange != GradientExchange::after_backward) {
    const double head = static_cast<double>(stage_parameters(scenario_, layout_, rank_).head);
    last_data_ = reduce_gradients(head, 0, done);
  }
}

void RankBuilder::exchange_tied_embedding() {
  const Plan& plan = scenario_.plan;
  const bool holds = layout_.holds_embedding(rank_) || layout_.holds_head(rank_);
  if (!scenario_.model.tied_embeddings || !scenario_.framework.tied_embedding_all_reduce ||
      layout_.embedding.ranks == 1 || !holds) {
    return;
  }
  const double table = static_cast<double>(layout_.padded_vocab) /
                       static_cast<double>(plan.tensor) *
                       static_cast<double>(scenario_.model.hidden);
  const OperationId id =
      push(pricer_.collective("all-reduce tied embedding gradient", hw::CollectiveKind::all_reduce,
                              Bytes(table * scenario_.framework.gradient_exchange_bytes),
                              layout_.embedding, StreamKind::data, Category::data_exchange),
           last_compute_);
  program_.operations.back().rendezvous = true;
  program_.operations.back().channel =
      own_channel(channels_.barrier(Channels::Barrier::tied_embedding));
  trailing_ = id;
}

/// A pass over the gradients, a sum over all ranks of the model, and the host waits for its value.
void RankBuilder::clip_and_check(double held) {
  const Framework& f = scenario_.framework;
  const auto pass = [&](const char* name, double written, Channels::Barrier barrier) {
    push(pricer_.memory_pass(name, Bytes(held * f.gradient_bytes), Bytes(held * written),
                             kPassLaunches, Category::optimizer, &work_));
    PlacedGroup model = layout_.tensor;
    model.stride = 0;  // four bytes: all latency, on no links
    model.ranks = scenario_.plan.tensor * scenario_.plan.pipeline;
    const OperationId id =
        push(pricer_.collective("reduce scalar", hw::CollectiveKind::all_reduce, Bytes(4), model,
                                StreamKind::data, Category::optimizer),
             last_compute_);
    Operation& o = program_.operations.back();
    o.rendezvous = true;
    o.channel = channels_.barrier(barrier);
    o.host_waits = true;
    trailing_ = id;
  };
  if (f.overflow_check)
    pass("unscale and check gradients", f.gradient_bytes, Channels::Barrier::overflow);
  if (f.gradient_clipping) pass("gradient norm", 0, Channels::Barrier::norm);
}

void RankBuilder::update() {
  const Framework& f = scenario_.framework;
  const double owned = owned_;
  if (f.gradient_clipping) {
    push(pricer_.memory_pass("scale gradients", Bytes(owned * f.gradient_bytes),
                             Bytes(owned * f.gradient_bytes), kPassLaunches, Category::optimizer,
                             &work_, true));
  }
  const AdamTraffic adam = adam_traffic(f, owned);
  push(pricer_.memory_pass("Adam", adam.read, adam.written, kPassLaunches, Category::optimizer,
                           &work_));

  const ShardingStage s = scenario_.plan.sharding;
  const bool sharded = s == ShardingStage::optimizer || s == ShardingStage::gradients;
  if (sharded && !f.parameter_gather_overlapped && layout_.shard.ranks > 1) {
    trailing_ = gather_parameters(held_ - experts_, experts_, last_compute_);
  }
}

void RankBuilder::end_step() {
  const Framework& f = scenario_.framework;
  deferred_gradients();
  if (f.gradient_exchange == GradientExchange::after_backward && !fully_sharded()) {
    last_data_ = reduce_gradients(held_ - experts_, experts_, last_compute_);
  }
  if (last_data_ != kNone && layout_.data.ranks > 1) trailing_ = last_data_;
  exchange_tied_embedding();
  clip_and_check(scenario_.plan.sharding >= ShardingStage::gradients || !f.reduces_in_full ? owned_
                                                                                           : held_);
  update();

  // Bookkeeping between steps: the host has the device's last result and issues nothing meanwhile.
  PricedOperation end;
  end.category = Category::host;
  end.ticks = count(to_ticks(f.step_overhead));
  end.label = pricer_.named("bookkeeping between steps", 0);
  push(end);
}

}  // namespace forerun::sim
