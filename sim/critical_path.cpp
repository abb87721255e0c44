#include "sim/critical_path.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace forerun::sim {
namespace {

/// The operation that ends the step (of several the first by rank, then by issue).
Place last_operation(const Causality& c) {
  Place last;
  const auto& spans = c.execution().spans;
  for (std::size_t r = 0; r < spans.size(); ++r) {
    for (std::size_t i = 0; i < spans[r].size(); ++i) {
      const Place here{static_cast<std::int32_t>(r), static_cast<OperationId>(i)};
      if (last.rank == -1 || spans[r][i].end > c.span(last).end) last = here;
    }
  }
  return last;
}

std::vector<CriticalLink> walk_back(const Causality& c) {
  std::vector<CriticalLink> links;
  const auto add = [&](std::int64_t begin, std::int64_t end, Category category, Place place) {
    if (begin < end) links.push_back({begin, end, category, place});
  };
  Place place = last_operation(c);
  bool ended = true;  // the date to explain is the end of `place`, else its begin
  while (place.rank != -1) {
    const Reason reason = ended ? c.end_reason(place) : c.begin_reason(place);
    const std::int64_t at = ended ? c.span(place).end : c.span(place).begin;
    switch (reason.setter) {
      case Setter::itself:
        add(reason.time, at, c.operation(place).category, place);
        ended = false;
        continue;
      case Setter::member:
        ended = false;
        break;
      case Setter::host:
        add(reason.time, at, Category::host, place);
        ended = true;
        break;
      case Setter::operation:
      case Setter::send:
        ended = true;
        break;
      case Setter::start:
        break;  // no place: the walk is over
    }
    place = reason.place;
  }
  std::reverse(links.begin(), links.end());
  return links;
}

bool is_exchange(Category c) {
  return c == Category::tensor_exchange || c == Category::context_exchange ||
         c == Category::expert_exchange || c == Category::data_exchange ||
         c == Category::pipeline_exchange;
}

/// How much faster the transfers of a stream must be for `place` to end by `deadline`, or nothing
/// if no speed is enough. With the operations queued without a gap before it, i = 0 the earliest:
/// ready_i + (d_i + ... + d_last) / factor <= deadline for every i.
std::optional<double> factor_to_end_by(const Causality& c, Place place, std::int64_t deadline) {
  double factor = 1.0;
  std::int64_t queued = 0;
  while (true) {
    const std::int64_t begin = c.span(place).begin;
    queued += c.span(place).end - begin;
    const OperationId before = c.previous(place);
    const bool follows = before != kNone && c.span({place.rank, before}).end == begin;
    const std::int64_t ready = c.ready(place) == begin ? c.ready_but_for_stream(place) : begin;
    if (ready >= deadline) return std::nullopt;
    factor = std::max(factor, static_cast<double>(queued) / static_cast<double>(deadline - ready));
    if (!follows || !is_exchange(c.operation({place.rank, before}).category)) return factor;
    place.operation = before;
  }
}

}  // namespace

CriticalPath critical_path(const Causality& c) {
  CriticalPath path;
  path.links = walk_back(c);
  std::map<std::pair<std::int32_t, Category>, CriticalLabel> labels;
  for (const CriticalLink& link : path.links) {
    const std::int64_t ticks = link.end - link.begin;
    const std::int32_t label = c.operation(link.place).label;
    path.ticks[static_cast<std::size_t>(link.category)] += ticks;
    CriticalLabel& sum = labels[{label, link.category}];
    sum.label = label;
    sum.category = link.category;
    sum.ticks += ticks;
    ++sum.links;
  }
  for (const auto& entry : labels) path.labels.push_back(entry.second);
  std::stable_sort(path.labels.begin(), path.labels.end(),
                   [](const auto& a, const auto& b) { return a.ticks > b.ticks; });
  return path;
}

std::vector<ExposedTransfer> exposed_transfers(const Causality& c, std::int32_t rank) {
  std::map<std::pair<std::int32_t, Category>, ExposedTransfer> sums;
  const auto add = [&](Place place, std::int64_t exposed, std::optional<double> factor) {
    const Operation& o = c.operation(place);
    ExposedTransfer& sum = sums[{o.label, o.category}];
    sum.label = o.label;
    sum.category = o.category;
    ++sum.count;
    sum.exposed += exposed;
    if (factor) {
      sum.bandwidth_factor = std::max(sum.bandwidth_factor, *factor);
    } else {
      sum.never_hidden += exposed;
    }
  };
  std::int64_t gap_begin = 0, at = -1;
  for (const Idle& idle : idle_intervals(c, rank)) {
    if (idle.begin != at) gap_begin = idle.begin;
    at = idle.end;
    if (!is_exchange(idle.category)) continue;
    add(idle.waited_for, idle.end - idle.begin, factor_to_end_by(c, idle.waited_for, gap_begin));
  }
  const auto& operations = c.program().ranks[static_cast<std::size_t>(rank)].operations;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const Operation& o = operations[i];
    if (o.stream == StreamKind::compute && is_exchange(o.category) && o.duration > 0) {
      add({rank, static_cast<OperationId>(i)}, o.duration, std::nullopt);
    }
  }
  std::vector<ExposedTransfer> list;
  for (const auto& entry : sums) list.push_back(entry.second);
  std::stable_sort(list.begin(), list.end(),
                   [](const auto& a, const auto& b) { return a.exposed > b.exposed; });
  return list;
}

}  // namespace forerun::sim
