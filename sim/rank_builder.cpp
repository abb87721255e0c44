#include "sim/rank_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/error.h"

namespace forerun::sim {
namespace {

/// Channel numbers: forward messages, backward messages, barriers.
constexpr std::int64_t kBarriers = 3;

}  // namespace

std::int32_t Channels::forward(std::int64_t chunk, std::int64_t micro_batch) const {
  return static_cast<std::int32_t>(chunk * micro_batches_ + micro_batch);
}
std::int32_t Channels::backward(std::int64_t chunk, std::int64_t micro_batch) const {
  return static_cast<std::int32_t>((chunks_ + chunk) * micro_batches_ + micro_batch);
}
std::int32_t Channels::barrier(Barrier b) const {
  return static_cast<std::int32_t>(2 * chunks_ * micro_batches_) + static_cast<std::int32_t>(b);
}
std::int32_t Channels::count() const {
  return static_cast<std::int32_t>(2 * chunks_ * micro_batches_ + kBarriers);
}

RankBuilder::RankBuilder(const Scenario& scenario, const Layout& layout, const Variation& variation,
                         Pricer& pricer, PairedSegments& paired, Detail detail,
                         const Channels& channels, std::int64_t lane, std::int64_t rank,
                         Compiled& compiled)
    : scenario_(scenario),
      layout_(layout),
      variation_(variation),
      shape_(pipeline_shape(scenario.plan)),
      pricer_(pricer),
      paired_(paired),
      pool_parts_(compiled.parts_of(rank)),
      parts_(pool_parts_.front()),
      detail_(detail),
      channels_(channels),
      lane_(lane),
      rank_(rank),
      compiled_(compiled),
      program_(compiled.program.ranks.emplace_back()),
      run_of_(compiled.run_of.emplace_back()),
      exchange_of_(scenario.topology ? &compiled.exchange_of.emplace_back() : nullptr),
      work_(compiled.work.emplace_back()),
      held_(static_cast<double>(stage_parameters(scenario, layout, rank).total())),
      experts_(static_cast<double>(stage_parameters(scenario, layout, rank).experts)) {
  program_.name = variation.lanes() == 1
                      ? fmt::format("stage {}", rank)
                      : fmt::format("stage {}, replica {}", rank,
                                    lane * (scenario.plan.data / variation.lanes()));
  owned_ = (held_ - experts_) / static_cast<double>(layout.shard.ranks) +
           experts_ / static_cast<double>(layout.expert_shard.ranks);
  const std::vector<Chunk>& chunks = layout.chunks[static_cast<std::size_t>(rank)];
  gathered_.resize(chunks.size());
  backwards_left_.assign(chunks.size(), micro_batches_of_chunk(shape_));
  const bool split = splits_backward(shape_.schedule);
  for (const Chunk& chunk : chunks) {
    for (const PassKind kind : {PassKind::forward, PassKind::backward, PassKind::input_gradient,
                                PassKind::weight_gradient}) {
      if (!split && kind > PassKind::backward) continue;
      lists_[static_cast<std::size_t>(kind)].push_back(folded_list(units_of(chunk, kind, 0)));
    }
    if (!split && chunk.head && !parts_.head_weight_gradient.operations.empty()) {
      backward_deferring_ = folded_list(units_of(chunk, PassKind::backward, 0, true));
    }
  }
  find_ends();
}

std::vector<Unit> RankBuilder::units_of(const Chunk& chunk, PassKind pass, std::int64_t micro_batch,
                                        bool head_deferred) const {
  const std::vector<std::uint8_t> levels = variation_.levels(lane_, micro_batch);
  const Parts& parts = pool_parts_[variation_.composition(lane_, micro_batch)];
  return pass_units(scenario_, layout_, parts, rank_, chunk, pass, head_deferred,
                    levels.empty() ? nullptr : levels.data());
}

RankBuilder::UnitList RankBuilder::folded_list(std::vector<Unit> units) {
  UnitList list;
  list.units = std::move(units);
  if (!list.units.empty()) fold(list.units, 0, list.units.size(), list);
  return list;
}

const RankBuilder::UnitList& RankBuilder::units(const ScheduledPass& pass, bool deferring) {
  const auto c = static_cast<std::size_t>(pass.chunk);
  if (variation_.uniform()) {
    return deferring ? backward_deferring_ : lists_[static_cast<std::size_t>(pass.pass)][c];
  }
  varied_ = folded_list(units_of(layout_.chunks[static_cast<std::size_t>(rank_)][c], pass.pass,
                                 pass.micro_batch, deferring));
  return varied_;
}

void RankBuilder::find_ends() {
  const std::int64_t chunks = model_chunks(shape_);
  head_chunk_ = cast_chunk_ = chunks;
  for (std::int64_t c = 0; c < chunks; ++c) {
    const Chunk& chunk = chunk_of_model(c);
    if (chunk.loss) last_chunk_ = c;
    if (chunk.head) head_chunk_ = c;
    if (chunk.cast) cast_chunk_ = c;
  }
  // Connectors are trained, so the last part of the encoders gets gradients at least.
  const std::vector<models::Encoder>& encoders = scenario_.model.encoders;
  const bool frozen = std::all_of(encoders.begin(), encoders.end(),
                                  [](const models::Encoder& e) { return e.frozen; });
  first_trained_ = frozen ? std::max<std::int64_t>(0, scenario_.plan.encoder_stages - 1) : 0;
}

OperationId RankBuilder::push(const PricedOperation& p, OperationId wait, OperationId also_wait) {
  if (p.stream == StreamKind::compute && trailing_ != kNone && wait != kNone &&
      also_wait != kNone && wait != trailing_ && also_wait != trailing_) {
    // An operation waits for two others at most: one of no length waits for the third.
    PricedOperation join;
    join.label = pricer_.named("join", 0);
    push(join);
  }
  const auto id = static_cast<OperationId>(program_.operations.size());
  Operation& o = program_.operations.emplace_back();
  o.duration = p.ticks;
  o.host_first = p.host + extra_host_;
  extra_host_ = 0;
  o.label = p.label;
  o.stream = p.stream;
  o.category = p.category;
  o.tax = p.tax;
  o.host_waits = p.host_waits;
  o.wait = {wait, also_wait};
  o.micro_batch = p.of_backward ? backward_micro_batch_ : micro_batch_;
  run_of_.push_back(-1);
  if (exchange_of_ != nullptr) exchange_of_->push_back(p.exchange);
  if (p.stream == StreamKind::compute) {
    if (o.wait[0] == kNone) std::swap(o.wait[0], o.wait[1]);
    if (trailing_ != kNone) {
      if (o.wait[0] != trailing_) o.wait[1] = trailing_;
      trailing_ = kNone;
    }
    last_compute_ = id;
  }
  if (p.stream == StreamKind::data) last_data_ = id;
  return id;
}

OperationId RankBuilder::push_kernels(const Segment& s, OperationId wait, OperationId also_wait) {
  OperationId base = kNone;
  if (s.operations.empty()) hold_compute(wait, also_wait);
  // An exchange of what was made just before (gradients of items).
  if (!s.operations.empty() && s.operations.front().stream != StreamKind::compute &&
      wait == kNone) {
    wait = last_compute_;
  }
  for (const PricedOperation& p : s.operations) {
    if (base == kNone) {
      // The first operation of a list waits for nothing inside it.
      base = push(p, wait, also_wait);
    } else {
      push(p, p.wait < 0 ? kNone : base + p.wait);
    }
  }
  if (s.trailing >= 0) trailing_ = base + s.trailing;
  return trailing_ != kNone ? trailing_ : last_compute_;
}

void RankBuilder::fold(const std::vector<Unit>& units, std::size_t first, std::size_t last,
                       UnitList& into) {
  std::int64_t host = 0;
  for (std::size_t i = first; i < last; ++i) {
    const Segment& s = *units[i].segment;
    into.folded.ticks += s.ticks;
    host += s.host;
    into.folded.host_waits |= s.waits;
    for (std::size_t c = 0; c < into.run.breakdown.size(); ++c) {
      into.run.breakdown[c] += s.breakdown[c];
    }
  }
  into.folded.host = units[first].segment->first_host;
  into.host_rest = host - into.folded.host;
}

OperationId RankBuilder::push_folded(const UnitList& list, std::size_t units, const char* name,
                                     OperationId wait, OperationId also_wait) {
  const OperationId id = push(list.folded, wait, also_wait);
  program_.operations.back().host_rest = list.host_rest;
  if (detail_ == Detail::bare) return id;
  program_.operations.back().label = pricer_.named(name, units);
  run_of_.back() = static_cast<std::int32_t>(compiled_.runs.size());
  compiled_.runs.push_back(list.run);
  return id;
}

OperationId RankBuilder::issue(const std::vector<Unit>& units, std::size_t first, std::size_t last,
                               const char* name, OperationId wait, OperationId also_wait) {
  if (detail_ != Detail::kernels) {
    UnitList some;
    fold(units, first, last, some);
    if (detail_ == Detail::folded) {
      for (std::size_t i = first; i < last; ++i) work_ += units[i].segment->work;
    }
    return push_folded(some, last - first, name, wait, also_wait);
  }
  OperationId id = kNone;
  for (std::size_t i = first; i < last; ++i) {
    work_ += units[i].segment->work;
    id = push_kernels(*units[i].segment, i == first ? wait : kNone, i == first ? also_wait : kNone);
  }
  return id;
}

OperationId RankBuilder::issue_all(const UnitList& list, const char* name, OperationId wait,
                                   OperationId also_wait) {
  if (detail_ == Detail::kernels) {
    return issue(list.units, 0, list.units.size(), name, wait, also_wait);
  }
  if (detail_ == Detail::folded) {
    for (const Unit& u : list.units) work_ += u.segment->work;
  }
  return push_folded(list, list.units.size(), name, wait, also_wait);
}

bool RankBuilder::fully_sharded() const {
  return scenario_.plan.sharding == ShardingStage::parameters;
}

bool RankBuilder::last_backward_of_chunk(const ScheduledPass& pass) {
  return --backwards_left_[static_cast<std::size_t>(pass.chunk)] == 0;
}

const Chunk& RankBuilder::chunk_of_model(std::int64_t chunk) const {
  const ChunkPlace at = place_of(shape_, chunk, 0);
  return layout_.chunks[static_cast<std::size_t>(at.rank)][static_cast<std::size_t>(at.chunk)];
}

OperationId RankBuilder::receive(std::int64_t boundary, std::int64_t micro_batch,
                                 std::int32_t channel) {
  PricedOperation p = message(boundary, micro_batch);
  p.ticks = 0;
  p.tax = 0;
  p.exchange = -1;  // the sender's
  p.stream = StreamKind::pipeline_receive;
  const OperationId id = push(p);
  Operation& o = program_.operations.back();
  o.receives = true;
  o.host_waits = scenario_.framework.blocking_point_to_point;
  o.channel = own_channel(channel);
  const Chunk& from = chunk_of_model(boundary);
  const bool activation = boundary < head_chunk_ && (from.embedding || !from.encoder);
  return activation && parts_.gather_received.ticks > 0 ? push(parts_.gather_received, id) : id;
}

void RankBuilder::send(std::int64_t boundary, std::int64_t micro_batch, std::int32_t channel) {
  last_send_ = push(message(boundary, micro_batch), trailing_ != kNone ? trailing_ : last_compute_);
  Operation& o = program_.operations.back();
  o.sends = true;
  o.host_waits = scenario_.framework.blocking_point_to_point;
  o.channel = own_channel(channel);
}

bool RankBuilder::is_empty(const ScheduledPass& pass) const {
  const std::int64_t chunk = chunk_in_model(pass);
  return chunk > last_chunk_ || (pass.pass != PassKind::forward && chunk < first_trained_);
}

OperationId RankBuilder::receive(const ScheduledPass& pass) {
  const std::int64_t chunk = chunk_in_model(pass);
  if (pass.pass == PassKind::forward && chunk > 0) {
    return receive(chunk - 1, pass.micro_batch, channels_.forward(chunk - 1, pass.micro_batch));
  }
  if (returns_gradient(pass.pass) && chunk < last_chunk_) {
    return receive(chunk, pass.micro_batch, channels_.backward(chunk, pass.micro_batch));
  }
  return kNone;
}

void RankBuilder::send(const ScheduledPass& pass) {
  const std::int64_t chunk = chunk_in_model(pass);
  if (pass.pass == PassKind::forward && chunk < last_chunk_) {
    send(chunk, pass.micro_batch, channels_.forward(chunk, pass.micro_batch));
  }
  if (returns_gradient(pass.pass) && chunk > first_trained_) {
    send(chunk - 1, pass.micro_batch, channels_.backward(chunk - 1, pass.micro_batch));
  }
}

/// Without overlap a rank's next pass also waits until its last message has left.
OperationId RankBuilder::until_sent() const {
  return scenario_.framework.point_to_point_overlap ? kNone : last_send_;
}

void RankBuilder::pass(const ScheduledPass& pass) {
  if (is_empty(pass)) return;
  micro_batch_ = static_cast<std::int32_t>(pass.micro_batch);
  const OperationId wait = receive(pass);
  const bool deferring = pass.pass == PassKind::backward && defers(pass);
  deferred_ += deferring ? 1 : 0;
  compute(pass, units(pass, deferring), wait, until_sent());
  send(pass);
  micro_batch_ = -1;
}

void RankBuilder::together(const ScheduledPass& forward, const ScheduledPass& backward) {
  if (is_empty(forward) || is_empty(backward)) {
    pass(forward);
    pass(backward);
    return;
  }
  micro_batch_ = static_cast<std::int32_t>(forward.micro_batch);
  backward_micro_batch_ = static_cast<std::int32_t>(backward.micro_batch);
  const auto merged = [&] {
    const std::vector<Chunk>& chunks = layout_.chunks[static_cast<std::size_t>(rank_)];
    const auto units_in = [&](const ScheduledPass& p) {
      return units_of(chunks[static_cast<std::size_t>(p.chunk)], p.pass, p.micro_batch);
    };
    return folded_list(units_together(units_in(forward), units_in(backward), paired_));
  };
  const OperationId activation = receive(forward), gradient = receive(backward);
  const OperationId sent = until_sent();
  if (sent != kNone) hold_compute(sent, kNone);
  const auto issue_both = [&](const UnitList& both) {
    if (both.units.empty()) {
      hold_compute(activation, gradient);
    } else {
      issue_all(both, "forward and backward", activation, gradient);
    }
  };
  if (variation_.uniform()) {
    const auto [at, inserted] = together_.try_emplace(forward.chunk);
    if (inserted) at->second = merged();
    issue_both(at->second);
  } else {
    issue_both(merged());
  }
  --backwards_left_[static_cast<std::size_t>(backward.chunk)];
  send(forward);
  send(backward);
  micro_batch_ = backward_micro_batch_ = -1;
}

void RankBuilder::compute(const ScheduledPass& pass, const UnitList& all, OperationId wait,
                          OperationId also_wait) {
  const std::vector<Unit>& list = all.units;
  const Framework& f = scenario_.framework;
  const bool forward = pass.pass == PassKind::forward;
  const bool gradients = makes_weight_gradient(pass.pass);
  const bool final_backward = gradients && last_backward_of_chunk(pass);
  const char* const name = sim::name(pass.pass);
  if (list.empty()) {
    PricedOperation nothing;
    nothing.label = pricer_.named("passes on", 0);
    push(nothing, wait, also_wait);
    return;
  }
  if (fully_sharded()) {
    gathered_pass(list, forward, name, wait, also_wait);
    return;
  }
  std::vector<OperationId>& gathers = gathered_[static_cast<std::size_t>(pass.chunk)];
  const bool reduces = scenario_.plan.sharding == ShardingStage::gradients || final_backward;
  if (forward && !gathers.empty()) {
    first_pass(list, std::exchange(gathers, {}), wait, also_wait);
  } else if (gradients && reduces && layout_.data.ranks > 1 &&
             f.gradient_exchange != GradientExchange::after_backward) {
    reducing_pass(list, name, wait, also_wait);
  } else {
    issue_all(all, name, wait, also_wait);
  }
}

void RankBuilder::hold_compute(OperationId wait, OperationId also_wait) {
  if (wait == kNone && also_wait == kNone) return;
  PricedOperation join;
  join.label = pricer_.named("join", 0);
  push(join, wait, also_wait);
}

}  // namespace forerun::sim
