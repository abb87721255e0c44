#include "sim/execution_state.h"

#include <fmt/format.h>

#include "core/error.h"

namespace forerun::sim {
namespace {

void read_channel_end(const Operation& o, Place here, ExecutionState& state) {
  const auto where = [&] {
    return fmt::format(
        "rank {} operation {}: channel {} of {}, sends {}, receives {}, rendezvous {}", here.rank,
        here.operation, o.channel, state.channels.size(), o.sends, o.receives, o.rendezvous);
  };
  FORERUN_ASSERT(o.channel >= 0 && static_cast<std::size_t>(o.channel) < state.channels.size(),
                 where());
  FORERUN_ASSERT(int{o.sends} + int{o.receives} + int{o.rendezvous} == 1, where());
  ChannelState& channel = state.channels[static_cast<std::size_t>(o.channel)];
  if (o.rendezvous) {
    ++channel.members;
    return;
  }
  Place& end = o.sends ? channel.send : channel.receive;
  FORERUN_ASSERT(end.rank == -1, where() + ", which has that end already");
  end = here;
}

/// One pass over a rank's operations: checks, issue dates, who follows whom.
void read_rank(const RankProgram& program, std::int32_t index, ExecutionState& state) {
  RankState& rank = state.ranks[static_cast<std::size_t>(index)];
  std::vector<Span>& spans = state.spans[static_cast<std::size_t>(index)];
  spans.reserve(program.operations.size());
  rank.size = static_cast<OperationId>(program.operations.size());
  rank.operations = program.operations.data();
  rank.issued = rank.size - 1;
  rank.blocked.fill(RankState::kHost);
  std::array<OperationId, kStreams> last;
  last.fill(kNone);
  std::int64_t host = 0;
  bool stopped = false;
  for (OperationId i = 0; i < rank.size; ++i) {
    const Operation& o = rank.operations[i];
    FORERUN_ASSERT(o.duration >= 0 && o.host_first >= 0 && o.host_rest >= 0,
                   fmt::format("{} operation {}: duration {}, host {} + {}", program.name, i,
                               o.duration, o.host_first, o.host_rest));
    FORERUN_ASSERT(
        o.wait[0] >= kNone && o.wait[0] < i && o.wait[1] >= kNone && o.wait[1] < i,
        fmt::format("{} operation {} waits for {} and {}", program.name, i, o.wait[0], o.wait[1]));
    Span span;
    span.begin = host + o.host_first;
    spans.push_back(span);
    host = span.begin + o.host_rest;
    if (o.host_waits) {
      host = 0;
      if (!stopped) rank.issued = i;
      stopped = true;
    }
    OperationId& before = last[static_cast<std::size_t>(o.stream)];
    if (before == kNone) {
      rank.streams[static_cast<std::size_t>(o.stream)].next = i;
    } else {
      spans[static_cast<std::size_t>(before)].cause = i;
    }
    before = i;
    rank.taxed |= o.tax != 0 && o.stream != StreamKind::compute;
    if (o.sends || o.receives || o.rendezvous) read_channel_end(o, {index, i}, state);
  }
  rank.spans = spans.data();
}

void gather_members(ExecutionState& state) {
  std::int32_t total = 0;
  for (std::size_t i = 0; i < state.channels.size(); ++i) {
    ChannelState& c = state.channels[i];
    FORERUN_ASSERT(
        (c.send.rank == -1) == (c.receive.rank == -1) && (c.members == 0 || c.send.rank == -1),
        fmt::format("channel {}: sender {}, receiver {}, {} members", i, c.send.rank,
                    c.receive.rank, c.members));
    c.first_member = total;
    total += c.members;
  }
  if (total == 0) return;
  state.members.resize(static_cast<std::size_t>(total));
  for (std::size_t r = 0; r < state.ranks.size(); ++r) {
    const RankState& rank = state.ranks[r];
    for (OperationId i = 0; i < rank.size; ++i) {
      if (!rank.operations[i].rendezvous) continue;
      ChannelState& c = state.channels[static_cast<std::size_t>(rank.operations[i].channel)];
      const std::int32_t slot = c.first_member + c.arrived;
      ++c.arrived;
      state.members[static_cast<std::size_t>(slot)] = {static_cast<std::int32_t>(r), i};
    }
  }
  for (ChannelState& c : state.channels) c.arrived = 0;
}

}  // namespace

ExecutionState prepare(const Program& program) {
  ExecutionState state;
  state.ranks.resize(program.ranks.size());
  state.spans.resize(program.ranks.size());
  state.channels.resize(static_cast<std::size_t>(program.channels));
  for (std::size_t r = 0; r < program.ranks.size(); ++r) {
    const std::size_t size = program.ranks[r].operations.size();
    FORERUN_ASSERT(size <= INT32_MAX, fmt::format("{} operations", size));
    state.operations += size;
    read_rank(program.ranks[r], static_cast<std::int32_t>(r), state);
  }
  gather_members(state);
  return state;
}

}  // namespace forerun::sim
