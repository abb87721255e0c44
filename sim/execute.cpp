#include <fmt/format.h>

#include <algorithm>

#include "sim/deadlock.h"
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

/// What the executor knows of an operation beside its program and its span. Who waits for an
/// operation is a list through the wait slots of the waiters: slot 2 i + k is wait[k] of operation
/// i.
struct State {
  std::int64_t issue = 0;  // since the last host_waits operation; absolute once issued
  OperationId next = kNone, previous = kNone;  // on the same stream
  std::int32_t first_slot = -1;
  std::array<std::int32_t, 2> next_slot{-1, -1};
  std::uint8_t pending = 0;  // waits and stream predecessor that have not ended
  bool ended = false;
};

/// A message or a rendezvous.
struct Channel {
  Place send, receive;
  bool sent = false, posted = false;
  std::int32_t first_member = 0, members = 0, arrived = 0;  // into Executor::members_
};

struct Rank {
  const Operation* operations = nullptr;
  Span* spans = nullptr;
  State* states = nullptr;
  OperationId size = 0;
  OperationId issued = kNone;  // the last operation that the host has issued or holds a date for
  // Under taxes: the compute operation that runs, its remaining work at the time `dated`.
  bool taxed = false;
  OperationId running = kNone;
  std::int64_t work = 0, dated = 0, tax = 0;
};

/// Time that `work` takes beside taxes of `tax` per cent, rounded up.
std::int64_t taxed_time(std::int64_t work, std::int64_t tax) {
  return work + work / 100 * tax + ((work % 100) * tax + 99) / 100;
}

/// Work done in `time` beside taxes of `tax` per cent, rounded down.
std::int64_t work_done(std::int64_t time, std::int64_t tax) {
  const std::int64_t rate = 100 + tax;
  return time / rate * 100 + (time % rate) * 100 / rate;
}

class Executor {
 public:
  explicit Executor(const Program& program);
  Execution run();

 private:
  void read_rank(std::int32_t rank, const RankProgram& program);
  void read_channel_end(const Operation& o, Place place);
  void gather_members();

  void issue(std::int32_t rank, OperationId waited, std::int64_t time);
  void try_begin(std::int32_t rank, OperationId id);
  void explain(Rank& rank, OperationId id, std::int64_t ready);
  void arrive(std::int32_t rank, OperationId id);
  void begin(std::int32_t rank, OperationId id);
  void begin_now(std::int32_t rank, OperationId id);
  void end(std::int32_t rank, OperationId id);
  void settle(std::int32_t rank, OperationId id);
  void change_tax(std::int32_t rank, std::int64_t by);
  void schedule_end(std::int32_t rank, OperationId id) {
    engine_.at(Tick{ranks_[static_cast<std::size_t>(rank)].spans[id].end}, Phase::finish,
               Change{rank, id, false});
  }
  [[nodiscard]] std::int64_t now() const { return count(engine_.now()); }
  Rank& rank_of(std::int32_t rank) { return ranks_[static_cast<std::size_t>(rank)]; }
  Channel& channel_of(const Operation& o) { return channels_[static_cast<std::size_t>(o.channel)]; }
  static void expect(const Rank& rank, OperationId id);
  void assert_ended() const;

  const Program& program_;
  Execution result_;
  Engine<Change> engine_;
  std::vector<State> states_;
  std::vector<Rank> ranks_;
  std::vector<Channel> channels_;
  std::vector<Place> members_;  // of rendezvous, by channel
  std::size_t ended_ = 0;
};

Executor::Executor(const Program& program) : program_(program) {
  std::size_t operations = 0;
  for (const RankProgram& r : program.ranks) operations += r.operations.size();
  states_.resize(operations);
  ranks_.resize(program.ranks.size());
  channels_.resize(static_cast<std::size_t>(program.channels));
  result_.spans.resize(program.ranks.size());
  engine_.reserve(program.ranks.size() * kStreams);
  State* states = states_.data();
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const auto& ops = program.ranks[i].operations;
    FORERUN_ASSERT(ops.size() < (1u << 30), fmt::format("{} operations", ops.size()));
    result_.spans[i].resize(ops.size());
    Rank& rank = ranks_[i];
    rank.operations = ops.data();
    rank.spans = result_.spans[i].data();
    rank.states = states;
    rank.size = static_cast<OperationId>(ops.size());
    states += ops.size();
    read_rank(static_cast<std::int32_t>(i), program.ranks[i]);
  }
  gather_members();
}

void Executor::read_rank(std::int32_t index, const RankProgram& program) {
  Rank& rank = rank_of(index);
  std::array<OperationId, kStreams> last;
  last.fill(kNone);
  std::int64_t host = 0;
  for (OperationId i = 0; i < rank.size; ++i) {
    const Operation& o = rank.operations[i];
    State& s = rank.states[i];
    FORERUN_ASSERT(o.duration >= 0 && o.host_first >= 0 && o.host_rest >= 0,
                   fmt::format("{} operation {}: duration {}, host {} + {}", program.name, i,
                               o.duration, o.host_first, o.host_rest));
    host += o.host_first;
    s.issue = host;
    host = o.host_waits ? 0 : host + o.host_rest;
    rank.taxed |= o.tax != 0;

    OperationId& previous = last[static_cast<std::size_t>(o.stream)];
    s.previous = previous;
    if (previous != kNone) {
      rank.states[previous].next = i;
      ++s.pending;
    }
    previous = i;
    for (std::size_t k = 0; k < 2; ++k) {
      const OperationId w = o.wait[k];
      if (w == kNone) continue;
      FORERUN_ASSERT(w >= 0 && w < i,
                     fmt::format("{} operation {} waits for {}", program.name, i, w));
      s.next_slot[k] = rank.states[w].first_slot;
      rank.states[w].first_slot = 2 * i + static_cast<std::int32_t>(k);
      ++s.pending;
    }
    if (o.sends || o.receives || o.rendezvous) read_channel_end(o, Place{index, i});
  }
}

void Executor::read_channel_end(const Operation& o, Place place) {
  const auto where = [&] {
    return fmt::format(
        "rank {} operation {}: channel {} of {}, sends {}, receives {}, rendezvous {}", place.rank,
        place.operation, o.channel, program_.channels, o.sends, o.receives, o.rendezvous);
  };
  FORERUN_ASSERT(o.channel >= 0 && o.channel < program_.channels, where());
  FORERUN_ASSERT(int{o.sends} + int{o.receives} + int{o.rendezvous} == 1, where());
  Channel& channel = channel_of(o);
  if (o.rendezvous) {
    ++channel.members;
  } else {
    Place& here = o.sends ? channel.send : channel.receive;
    FORERUN_ASSERT(here.rank == -1, where() + ", which has that end already");
    here = place;
  }
}

/// Checks that every message has two ends, and lists the members of every rendezvous.
void Executor::gather_members() {
  std::int32_t total = 0;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    Channel& c = channels_[i];
    FORERUN_ASSERT(
        (c.send.rank == -1) == (c.receive.rank == -1) && (c.members == 0 || c.send.rank == -1),
        fmt::format("channel {}: sender {}, receiver {}, {} members", i, c.send.rank,
                    c.receive.rank, c.members));
    c.first_member = total;
    total += c.members;
  }
  if (total == 0) return;
  members_.resize(static_cast<std::size_t>(total));
  for (std::size_t r = 0; r < ranks_.size(); ++r) {
    for (OperationId i = 0; i < ranks_[r].size; ++i) {
      const Operation& o = ranks_[r].operations[i];
      if (!o.rendezvous) continue;
      Channel& c = channel_of(o);
      members_[static_cast<std::size_t>(c.first_member + c.arrived++)] = {
          static_cast<std::int32_t>(r), i};
    }
  }
  for (Channel& c : channels_) c.arrived = 0;
}

Execution Executor::run() {
  for (std::size_t r = 0; r < ranks_.size(); ++r) issue(static_cast<std::int32_t>(r), kNone, 0);
  result_.events = engine_.run([this](Change c) {
    if (c.begins()) {
      begin_now(c.rank(), c.operation());
    } else {
      end(c.rank(), c.operation());
    }
  });
  assert_ended();
  return std::move(result_);
}

/// The host goes on at `time`, when `waited` has ended: it issues operations up to the next that it
/// waits for.
void Executor::issue(std::int32_t index, OperationId waited, std::int64_t time) {
  Rank& rank = rank_of(index);
  for (OperationId i = waited + 1; i < rank.size; ++i) {
    rank.states[i].issue += time;
    rank.issued = i;
    if (waited != kNone) {
      rank.spans[i].cause_rank = index;
      rank.spans[i].cause = waited;
    }
    try_begin(index, i);
    if (rank.operations[i].host_waits) break;
  }
}

void Executor::try_begin(std::int32_t index, OperationId id) {
  Rank& rank = rank_of(index);
  const State& s = rank.states[id];
  if (s.pending != 0 || id > rank.issued) return;
  explain(rank, id, std::max(now(), s.issue));
  if (rank.operations[id].rendezvous) {
    arrive(index, id);
  } else {
    begin(index, id);
  }
}

/// Dates the begin and says what set it. Of several that ended at once, the stream's previous comes
/// first, then the waits in their order, then the host.
void Executor::explain(Rank& rank, OperationId id, std::int64_t ready) {
  const Operation& o = rank.operations[id];
  const State& s = rank.states[id];
  Span& span = rank.spans[id];
  const std::int64_t free = s.previous == kNone ? 0 : rank.spans[s.previous].end;
  const auto index = static_cast<std::int32_t>(&rank - ranks_.data());
  span.begin = ready;
  span.waited = ready - free;
  if (span.waited == 0) {
    span.cause_rank = s.previous == kNone ? -1 : index;
    span.cause = s.previous;
    return;
  }
  for (const OperationId w : o.wait) {
    if (w == kNone || rank.spans[w].end != ready) continue;
    const Operation& waited = rank.operations[w];
    span.cause_rank = index;
    span.cause = w;
    span.waited_for = waited.category;
    if (waited.receives) {
      const Place send = channel_of(waited).send;
      const bool had_begun = rank_of(send.rank).spans[send.operation].begin <= free;
      span.waited_for = had_begun ? Category::pipeline_exchange : Category::bubble;
    }
    return;
  }
  span.waited_for = Category::host;  // its cause was filled in by issue()
}

/// A member of a rendezvous is ready; the last lets all begin.
void Executor::arrive(std::int32_t index, OperationId id) {
  Channel& channel = channel_of(rank_of(index).operations[id]);
  if (++channel.arrived < channel.members) return;
  const Place* const first = members_.data() + channel.first_member;
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
  const Rank& rank = rank_of(index);
  const Span& span = rank.spans[id];
  if (rank.taxed && span.begin > now()) {
    engine_.at(Tick{span.begin}, Phase::start, Change{index, id, true});
  } else {
    begin_now(index, id);
  }
}

void Executor::begin_now(std::int32_t index, OperationId id) {
  Rank& rank = rank_of(index);
  const Operation& o = rank.operations[id];
  Span& span = rank.spans[id];
  const State& s = rank.states[id];
  span.end = std::max(span.begin + o.duration, s.issue + o.host_rest);
  expect(rank, s.next);
  if (s.first_slot != -1) expect(rank, s.first_slot / 2);
  if (rank.taxed) {
    if (o.tax != 0 && o.stream != StreamKind::compute) change_tax(index, o.tax);
    if (o.stream == StreamKind::compute) {
      rank.running = id;
      rank.work = o.duration;
      rank.dated = span.begin;
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

/// Loads what the end of a running operation will touch into the cache: the ranks take turns, so
/// what comes next on each has been idle for long. A quarter of the time of a large program.
void Executor::expect(const Rank& rank, OperationId id) {
  if (id == kNone) return;
  __builtin_prefetch(rank.states + id, 1);
  __builtin_prefetch(rank.operations + id, 0);
  __builtin_prefetch(rank.spans + id, 1);
}

/// Taxes of a rank change now: what its compute stream runs is dated anew. The event of the old
/// date stays in the queue and is passed over when it comes.
void Executor::change_tax(std::int32_t index, std::int64_t by) {
  Rank& rank = rank_of(index);
  const std::int64_t old = rank.tax;
  rank.tax += by;
  if (rank.running == kNone) return;
  const Operation& o = rank.operations[rank.running];
  Span& span = rank.spans[rank.running];
  rank.work -= std::min(rank.work, work_done(now() - rank.dated, old));
  rank.dated = now();
  if (rank.work == 0) return;  // only its host is not done
  const std::int64_t done = now() + taxed_time(rank.work, rank.tax);
  span.slowed = done - span.begin - o.duration;
  const std::int64_t dated = std::max(done, rank.states[rank.running].issue + o.host_rest);
  if (dated == span.end) return;
  span.end = dated;
  schedule_end(index, rank.running);
}

void Executor::end(std::int32_t index, OperationId id) {
  Rank& rank = rank_of(index);
  const Operation& o = rank.operations[id];
  State& s = rank.states[id];
  if (rank.taxed) {
    if (s.ended || rank.spans[id].end != now()) return;  // dated anew since
    if (rank.running == id) rank.running = kNone;
    if (o.tax != 0 && o.stream != StreamKind::compute) change_tax(index, -std::int64_t{o.tax});
  }
  s.ended = true;
  ++ended_;
  result_.end = now();
  if (s.next != kNone) settle(index, s.next);
  for (std::int32_t slot = s.first_slot; slot != -1;) {
    const OperationId waiter = slot / 2;
    const std::int32_t next = rank.states[waiter].next_slot[static_cast<std::size_t>(slot % 2)];
    settle(index, waiter);
    slot = next;
  }
  if (o.host_waits) issue(index, id, now());
  if (o.sends) {
    Channel& channel = channel_of(o);
    channel.sent = true;
    if (channel.posted) {
      Span& receive = rank_of(channel.receive.rank).spans[channel.receive.operation];
      receive.end = std::max(receive.end, now());
      schedule_end(channel.receive.rank, channel.receive.operation);
    }
  }
}

/// One thing less to wait for.
void Executor::settle(std::int32_t index, OperationId id) {
  if (--rank_of(index).states[id].pending == 0) try_begin(index, id);
}

void Executor::assert_ended() const {
  if (ended_ == states_.size()) return;
  std::vector<std::vector<bool>> ended(ranks_.size());
  for (std::size_t r = 0; r < ranks_.size(); ++r) {
    for (OperationId i = 0; i < ranks_[r].size; ++i) ended[r].push_back(ranks_[r].states[i].ended);
  }
  FORERUN_ASSERT(ended_ == states_.size(),
                 fmt::format("deadlock, {} of {} operations ended:\n{}", ended_, states_.size(),
                             explain_deadlock(program_, ended)));
}

}  // namespace

Execution execute(const Program& program) { return Executor(program).run(); }

}  // namespace forerun::sim
