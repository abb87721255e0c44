#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "sim/deadlock.h"
#include "sim/execution_state.h"
#include "sim/program.h"

namespace forerun::sim {
namespace {

/// An operation ends, or begins (then its number is held as a complement: eight bytes in all).
class Change {
 public:
  Change(std::int32_t rank, OperationId operation, bool begins)
      : rank_(rank), operation_(begins ? ~operation : operation) {}
  [[nodiscard]] std::int32_t rank() const { return rank_; }
  [[nodiscard]] bool begins() const { return operation_ < 0; }
  [[nodiscard]] OperationId operation() const { return begins() ? ~operation_ : operation_; }

 private:
  std::int32_t rank_;
  OperationId operation_;
};

std::size_t index(StreamKind stream) { return static_cast<std::size_t>(stream); }

class Executor {
 public:
  explicit Executor(const Program& program) : program_(program), state_(prepare(program)) {
    engine_.reserve(program.ranks.size() * kStreams);
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
  void end(std::int32_t rank, OperationId id);
  void schedule_end(std::int32_t rank, OperationId id) {
    engine_.at(Tick{rank_of(rank).spans[id].end}, Phase::finish, Change(rank, id, false));
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
  std::size_t ended_ = 0;
  std::int64_t end_ = 0;
};

Execution Executor::run() {
  for (std::size_t r = 0; r < state_.ranks.size(); ++r) {
    for (std::size_t s = 0; s < kStreams; ++s) try_next(static_cast<std::int32_t>(r), s);
  }
  Execution result;
  result.events = engine_.run([this](Change c) {
    if (c.begins()) {
      begin_now(c.rank(), c.operation());
    } else {
      end(c.rank(), c.operation());
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
/// change then.
void Executor::begin(std::int32_t index, OperationId id) {
  const RankState& rank = rank_of(index);
  const Span& span = rank.spans[id];
  if (rank.taxed && span.begin > now()) {
    engine_.at(Tick{span.begin}, Phase::start, Change(index, id, true));
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
  } else {
    schedule_end(index, id);
  }
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
