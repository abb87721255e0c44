#include "sim/causality.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace forerun::sim {

Causality::Causality(const Program& program, const Execution& execution)
    : program_(program), execution_(execution) {
  FORERUN_ASSERT(
      program.ranks.size() == execution.spans.size(),
      fmt::format("{} ranks, {} executed", program.ranks.size(), execution.spans.size()));
  std::size_t operations = 0;
  for (const RankProgram& r : program.ranks) {
    first_.push_back(operations);
    operations += r.operations.size();
  }
  links_.resize(operations);
  sends_.resize(static_cast<std::size_t>(program.channels));
  members_.resize(static_cast<std::size_t>(program.channels));
  for (std::size_t r = 0; r < program.ranks.size(); ++r) {
    std::array<OperationId, kStreams> last;
    last.fill(kNone);
    OperationId anchor = kNone;
    std::int64_t host = 0;
    for (std::size_t i = 0; i < program.ranks[r].operations.size(); ++i) {
      const Operation& o = program.ranks[r].operations[i];
      const Place here{static_cast<std::int32_t>(r), static_cast<OperationId>(i)};
      OperationId& previous = last[static_cast<std::size_t>(o.stream)];
      host += o.host_first;
      links_[first_[r] + i] = {host, previous, anchor};
      host += o.host_rest;
      previous = here.operation;
      if (o.host_waits) {
        anchor = here.operation;
        host = execution.spans[r][i].end;
      }
      if (o.sends) sends_[static_cast<std::size_t>(o.channel)] = here;
      if (o.rendezvous) members_[static_cast<std::size_t>(o.channel)].push_back(here);
    }
  }
}

std::int64_t Causality::ready_but_for_stream(Place p) const {
  std::int64_t time = links(p).issue;
  for (const OperationId w : operation(p).wait) {
    if (w != kNone) time = std::max(time, span({p.rank, w}).end);
  }
  return time;
}

std::int64_t Causality::ready(Place p) const {
  const OperationId before = links(p).previous;
  const std::int64_t free = before == kNone ? 0 : span({p.rank, before}).end;
  return std::max(free, ready_but_for_stream(p));
}

Reason Causality::host_reason(Place p) const {
  const OperationId anchor = links(p).anchor;
  if (anchor == kNone) return {Setter::host, {}, 0};
  const Place place{p.rank, anchor};
  return {Setter::host, place, span(place).end};
}

Reason Causality::ready_reason(Place p) const {
  const std::int64_t time = ready(p);
  const OperationId before = links(p).previous;
  if (before == kNone && time == 0) return {Setter::start, {}, 0};
  const auto& wait = operation(p).wait;
  for (const OperationId o : {before, wait[0], wait[1]}) {
    const Place place{p.rank, o};
    if (o != kNone && span(place).end == time) return {Setter::operation, place, time};
  }
  return host_reason(p);
}

Reason Causality::begin_reason(Place p) const {
  const std::int64_t begin = span(p).begin;
  if (ready(p) == begin) return ready_reason(p);
  for (const Place m : members_[static_cast<std::size_t>(operation(p).channel)]) {
    if (ready(m) == begin) return {Setter::member, m, begin};
  }
  FORERUN_ASSERT(false, fmt::format("rank {} operation {} began at {}, ready at {}", p.rank,
                                    p.operation, begin, ready(p)));
}

Reason Causality::end_reason(Place p) const {
  const Operation& o = operation(p);
  const Span& s = span(p);
  if (s.begin + o.duration + s.slowed < s.end) {
    if (o.receives) {
      const Place send = sends_[static_cast<std::size_t>(o.channel)];
      if (span(send).end == s.end) return {Setter::send, send, s.end};
    }
    return host_reason(p);
  }
  return {Setter::itself, p, s.begin};
}

}  // namespace forerun::sim
