#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/error.h"
#include "sim/deadlock.h"
#include "sim/execution_state.h"
#include "sim/program.h"
#include "sim/running_flows.h"

namespace forerun::sim {
namespace {

/// An operation ends, or begins (then its number is held as a complement: eight bytes in all), or
/// the exchange it is has sent its last byte (then its rank is), or links are shared anew.
class Change {
 public:
  enum class What : std::uint8_t { ends, begins, sent, share };
  Change(What what, std::int32_t rank, OperationId operation)
      : rank_(what == What::sent ? ~rank : rank),
        operation_(what == What::begins ? ~operation : operation) {}
  [[nodiscard]] static Change share() { return {What::sent, 0, kNone}; }
  [[nodiscard]] What what() const {
    if (rank_ < 0) return operation_ == kNone ? What::share : What::sent;
    return operation_ < 0 ? What::begins : What::ends;
  }
  [[nodiscard]] std::int32_t rank() const { return rank_ < 0 ? ~rank_ : rank_; }
  [[nodiscard]] OperationId operation() const { return operation_ < 0 ? ~operation_ : operation_; }

 private:
  std::int32_t rank_;
  OperationId operation_;
};

std::size_t index(StreamKind stream) { return static_cast<std::size_t>(stream); }

/// Of a rank's stream among the flows that run.
std::size_t slot_of(std::int32_t rank, StreamKind stream) {
  return static_cast<std::size_t>(rank) * kStreams + index(stream);
}

/// Ticks of an exchange's duration that no bandwidth shortens.
std::int64_t latency_of(const Program& program, std::int32_t flow, const Operation& o) {
  const SharedFlow& f = program.links.flows[static_cast<std::size_t>(flow)];
  return static_cast<std::int64_t>(f.latency_share * static_cast<double>(o.duration));
}

class Executor {
 public:
  explicit Executor(const Program& program) : program_(program), state_(prepare(program)) {
    engine_.reserve(program.ranks.size() * kStreams);
    if (program.links.empty()) return;
    flows_.emplace(program.links, program.ranks.size() * kStreams);
    sending_.assign(program.ranks.size() * kStreams, kNone);
  }
  Execution run();

 private:
  void go_on(std::int32_t rank, OperationId waited);
  void try_next(std::int32_t rank, std::size_t stream);
  void explain(std::int32_t rank, OperationId id, std::int64_t ready, OperationId anchor);
  void arrive(const Operation&);
  void begin(std::int32_t rank, OperationId id);
  void begin_now(std::int32_t rank, OperationId id);
  void change_tax(std::int32_t rank, std::int64_t by);
  bool start_flow(std::int32_t rank, OperationId id);
  void sent(std::int32_t rank, OperationId id);
  void share();
  void expect_share();
  void end(std::int32_t rank, OperationId id);
  void schedule_end(std::int32_t rank, OperationId id) {
    engine_.at(Tick{rank_of(rank).spans[id].end}, Phase::finish,
               Change(Change::What::ends, rank, id));
  }
  [[nodiscard]] std::int64_t now() const { return count(engine_.now()); }
  RankState& rank_of(std::int32_t rank) { return state_.ranks[static_cast<std::size_t>(rank)]; }
  ChannelState& channel_of(const Operation& o) {
    return state_.channels[static_cast<std::size_t>(o.channel)];
  }
  void assert_ended() const;

  const Program& program_;
  ExecutionState state_;
  Engine<Change> engine_;
  std::optional<RunningFlows> flows_;  ///< none: exchanges take their durations
  std::vector<OperationId> sending_;   ///< by slot
  bool share_expected_ = false;
  std::size_t ended_ = 0;
  std::int64_t end_ = 0;
};

Execution Executor::run() {
  for (std::size_t r = 0; r < state_.ranks.size(); ++r) {
    for (std::size_t s = 0; s < kStreams; ++s) try_next(static_cast<std::int32_t>(r), s);
  }
  Execution result;
  result.events = engine_.run([this](Change c) {
    switch (c.what()) {
      case Change::What::ends:
        return end(c.rank(), c.operation());
      case Change::What::begins:
        return begin_now(c.rank(), c.operation());
      case Change::What::sent:
        return sent(c.rank(), c.operation());
      case Change::What::share:
        return share();
    }
  });
  assert_ended();
  result.end = end_;
  result.spans = std::move(state_.spans);
  return result;
}

/// The host goes on when `waited` has ended: it issues operations up to the next that it waits for.
void Executor::go_on(std::int32_t index, OperationId waited) {
  RankState& rank = rank_of(index);
  while (++rank.issued < rank.size) {
    Span& span = rank.spans[rank.issued];
    span.begin += now();
    span.cause_rank = waited;
    if (rank.operations[rank.issued].host_waits) break;
  }
  for (std::size_t s = 0; s < kStreams; ++s) {
    if (rank.blocked[s] == RankState::kHost) try_next(index, s);
  }
}

/// The stream is free or what its next operation was seen to wait for has happened: the next
/// operation begins, or is seen to wait for something else.
void Executor::try_next(std::int32_t index, std::size_t stream) {
  RankState& rank = rank_of(index);
  const OperationId id = rank.streams[stream].next;
  OperationId& blocked = rank.blocked[stream];
  blocked = RankState::kNothing;
  if (id == kNone) return;
  if (id > rank.issued) {
    blocked = RankState::kHost;
    return;
  }
  const Operation& o = rank.operations[id];
  for (const OperationId w : o.wait) {
    if (w != kNone && !rank.ended(w)) {
      blocked = w;
      return;
    }
  }
  Span& span = rank.spans[id];
  const std::int64_t issue = span.begin;
  const OperationId anchor = span.cause_rank;
  rank.streams[stream].next = span.cause;
  if (span.cause != kNone) {
    // Ranks take turns, so what follows here has left the caches; it is needed when this ends.
    __builtin_prefetch(rank.operations + span.cause, 0);
    __builtin_prefetch(rank.spans + span.cause, 1);
  }
  span.end = issue + o.host_rest;
  explain(index, id, std::max(now(), issue), anchor);
  if (o.rendezvous) {
    arrive(o);
  } else {
    begin(index, id);
  }
}

/// Dates the begin and says what set it. Of several that ended at once, the stream's previous comes
/// first, then the waits in their order, then the host.
void Executor::explain(std::int32_t index_of_rank, OperationId id, std::int64_t ready,
                       OperationId anchor) {
  RankState& rank = rank_of(index_of_rank);
  const Operation& o = rank.operations[id];
  Span& span = rank.spans[id];
  const StreamState& stream = rank.streams[index(o.stream)];
  const std::int64_t free = stream.free;
  const auto set_cause = [&](OperationId cause) {
    span.cause = cause;
    span.cause_rank = cause == kNone ? -1 : index_of_rank;
  };
  span.begin = ready;
  span.waited = ready - free;
  if (span.waited == 0) return set_cause(stream.done);
  for (const OperationId w : o.wait) {
    if (w == kNone || rank.spans[w].end != ready) continue;
    const Operation& waited = rank.operations[w];
    span.waited_for = waited.category;
    if (waited.receives) {
      const Place send = channel_of(waited).send;
      const bool had_begun = rank_of(send.rank).spans[send.operation].begin <= free;
      span.waited_for = had_begun ? Category::pipeline_exchange : Category::bubble;
    }
    return set_cause(w);
  }
  span.waited_for = Category::host;
  set_cause(anchor);
}

/// A member of a rendezvous is ready; the last lets all begin.
void Executor::arrive(const Operation& o) {
  ChannelState& channel = channel_of(o);
  if (++channel.arrived < channel.members) return;
  const Place* const first = state_.members.data() + channel.first_member;
  const Place* const last = first + channel.members;
  const Span* latest = nullptr;
  for (const Place* m = first; m != last; ++m) {
    const Span& span = rank_of(m->rank).spans[m->operation];
    if (latest == nullptr || span.begin > latest->begin) latest = &span;
  }
  const Span setter = *latest;
  for (const Place* m = first; m != last; ++m) {
    Span& span = rank_of(m->rank).spans[m->operation];
    if (span.begin < setter.begin) {
      span.waited += setter.begin - span.begin;
      span.begin = setter.begin;
      span.waited_for = Category::imbalance;
      span.cause_rank = setter.cause_rank;
      span.cause = setter.cause;
    }
    begin(m->rank, m->operation);
  }
}

/// The begin is dated; under taxes it must happen at its date, for the compute stream's speed to
/// change then, and so must that of a flow, for the links' shares.
void Executor::begin(std::int32_t index, OperationId id) {
  const RankState& rank = rank_of(index);
  const Span& span = rank.spans[id];
  if ((rank.taxed || flows_) && span.begin > now()) {
    engine_.at(Tick{span.begin}, Phase::start, Change(Change::What::begins, index, id));
  } else {
    begin_now(index, id);
  }
}

void Executor::begin_now(std::int32_t index, OperationId id) {
  RankState& rank = rank_of(index);
  const Operation& o = rank.operations[id];
  Span& span = rank.spans[id];
  const std::int64_t host_end = span.end;
  span.end = std::max(span.begin + o.duration, host_end);
  if (rank.taxed) {
    if (o.stream != StreamKind::compute) {
      if (o.tax != 0) change_tax(index, o.tax);
    } else {
      rank.running = id;
      rank.work = o.duration;
      rank.dated = span.begin;
      rank.host_end = host_end;
      span.slowed = taxed_time(o.duration, rank.tax) - o.duration;
      span.end = std::max(span.end, span.begin + o.duration + span.slowed);
    }
  }
  if (o.receives && !channel_of(o).sent) {
    channel_of(o).posted = true;  // the send's end will date this one's
  } else if (!flows_ || !start_flow(index, id)) {
    schedule_end(index, id);
  }
}

/// The bytes of an exchange begin to move, if it is one on shared links; when its last has left
/// depends on what else is there. What is latency of its duration comes after that.
bool Executor::start_flow(std::int32_t index_of_rank, OperationId id) {
  const std::int32_t flow =
      program_.links.of[static_cast<std::size_t>(index_of_rank)][static_cast<std::size_t>(id)];
  if (flow < 0) return false;
  const Operation& o = rank_of(index_of_rank).operations[id];
  const std::int64_t work = o.duration - latency_of(program_, flow, o);
  if (work <= 0) return false;
  const std::size_t slot = slot_of(index_of_rank, o.stream);
  sending_[slot] = id;
  flows_->start(slot, flow, work, now());
  expect_share();
  return true;
}

/// Shares are solved once a tick, after all that begins and ends at it.
void Executor::expect_share() {
  if (share_expected_) return;
  share_expected_ = true;
  engine_.at(engine_.now(), Phase::observe, Change::share());
}

void Executor::share() {
  share_expected_ = false;
  flows_->share(now(), [this](std::size_t slot, std::int64_t sent) {
    const auto rank = static_cast<std::int32_t>(slot / kStreams);
    engine_.at(Tick{sent}, Phase::finish, Change(Change::What::sent, rank, sending_[slot]));
  });
}

/// The last byte has left, unless it was dated anew since.
void Executor::sent(std::int32_t index_of_rank, OperationId id) {
  RankState& rank = rank_of(index_of_rank);
  const Operation& o = rank.operations[id];
  const std::size_t slot = slot_of(index_of_rank, o.stream);
  if (sending_[slot] != id || !flows_->has_sent(slot, now())) return;
  flows_->stop(slot);
  sending_[slot] = kNone;
  expect_share();
  const std::int32_t flow =
      program_.links.of[static_cast<std::size_t>(index_of_rank)][static_cast<std::size_t>(id)];
  Span& span = rank.spans[id];
  const std::int64_t done = now() + latency_of(program_, flow, o);
  span.slowed = done - span.begin - o.duration;
  span.end = std::max(span.end, done);
  schedule_end(index_of_rank, id);
}

/// Taxes of a rank change now: what its compute stream runs is dated anew. The event of the old
/// date stays in the queue and is passed over when it comes.
void Executor::change_tax(std::int32_t index, std::int64_t by) {
  RankState& rank = rank_of(index);
  const std::int64_t old = rank.tax;
  rank.tax += by;
  if (rank.running == kNone) return;
  Span& span = rank.spans[rank.running];
  rank.work -= std::min(rank.work, work_done(now() - rank.dated, old));
  rank.dated = now();
  if (rank.work == 0) return;  // only its host is not done
  const std::int64_t done = now() + taxed_time(rank.work, rank.tax);
  span.slowed = done - span.begin - rank.operations[rank.running].duration;
  const std::int64_t dated = std::max(done, rank.host_end);
  if (dated == span.end) return;
  span.end = dated;
  schedule_end(index, rank.running);
}

void Executor::end(std::int32_t rank_index, OperationId id) {
  RankState& rank = rank_of(rank_index);
  const Operation& o = rank.operations[id];
  StreamState& stream = rank.streams[index(o.stream)];
  if (rank.taxed) {
    if (stream.done >= id || rank.spans[id].end != now()) return;  // dated anew since
    if (o.stream != StreamKind::compute) {
      if (o.tax != 0) change_tax(rank_index, -std::int64_t{o.tax});
    } else {
      rank.running = kNone;
    }
  }
  stream.done = id;
  stream.free = now();
  ++ended_;
  end_ = now();
  try_next(rank_index, index(o.stream));
  for (std::size_t s = 0; s < kStreams; ++s) {
    if (rank.blocked[s] == id) try_next(rank_index, s);
  }
  if (o.host_waits) go_on(rank_index, id);
  if (o.sends) {
    ChannelState& channel = channel_of(o);
    channel.sent = true;
    if (channel.posted) {
      Span& receive = rank_of(channel.receive.rank).spans[channel.receive.operation];
      receive.end = std::max(receive.end, now());
      schedule_end(channel.receive.rank, channel.receive.operation);
    }
  }
}

void Executor::assert_ended() const {
  if (ended_ == state_.operations) return;
  std::vector<std::vector<bool>> ended(state_.ranks.size());
  for (std::size_t r = 0; r < state_.ranks.size(); ++r) {
    const RankState& rank = state_.ranks[r];
    for (OperationId i = 0; i < rank.size; ++i) ended[r].push_back(rank.ended(i));
  }
  FORERUN_ASSERT(ended_ == state_.operations,
                 fmt::format("deadlock, {} of {} operations ended:\n{}", ended_, state_.operations,
                             explain_deadlock(program_, ended)));
}

}  // namespace

Execution execute(const Program& program) { return Executor(program).run(); }

}  // namespace forerun::sim
