#include "sim/replay/graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace forerun::replay {
namespace {

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

std::span<const std::int32_t> part(const std::vector<std::int32_t>& first,
                                   const std::vector<std::int32_t>& all, std::int32_t i) {
  const std::size_t begin = at(first[at(i)]), end = at(first[at(i) + 1]);
  return std::span(all).subspan(begin, end - begin);
}

}  // namespace

std::span<const std::int32_t> ReplayGraph::waits(std::int32_t operation) const {
  return part(first_wait_, waits_, operation);
}

std::span<const std::int32_t> ReplayGraph::members(std::int32_t group) const {
  return part(first_member_, members_, group);
}

std::optional<ReplayGraph> ReplayGraph::make(
    std::size_t operations, std::vector<std::pair<std::int32_t, std::int32_t>> waits,
    const std::vector<std::vector<std::int32_t>>& groups, std::vector<std::int32_t>& cycle) {
  ReplayGraph g;
  std::ranges::sort(waits);
  waits.erase(std::unique(waits.begin(), waits.end()), waits.end());
  g.first_wait_.assign(operations + 1, 0);
  g.waits_.reserve(waits.size());
  for (const auto& [operation, on] : waits) {
    FORERUN_ASSERT(at(operation) < operations && at(on) < operations,
                   fmt::format("{} waits for {} of {}", operation, on, operations));
    ++g.first_wait_[at(operation) + 1];
    g.waits_.push_back(on);
  }
  for (std::size_t i = 0; i < operations; ++i) g.first_wait_[i + 1] += g.first_wait_[i];
  g.group_.assign(operations, -1);
  g.first_member_.assign(1, 0);
  for (const std::vector<std::int32_t>& members : groups) {
    for (const std::int32_t m : members) {
      FORERUN_ASSERT(g.group_[at(m)] == -1, fmt::format("operation {} is in two groups", m));
      g.group_[at(m)] = static_cast<std::int32_t>(g.groups());
      g.members_.push_back(m);
    }
    g.first_member_.push_back(static_cast<std::int32_t>(g.members_.size()));
  }
  if (g.put_in_order()) return g;
  cycle = g.find_cycle();
  return std::nullopt;
}

/// First in, first out: an operation follows when all its waits have, a group when all its members
/// could. False if some never can; `order_` then holds what could.
bool ReplayGraph::put_in_order() {
  const std::size_t n = size();
  std::vector<std::int32_t> left(n), first(n + 1, 0), next(waits_.size());
  for (const std::int32_t w : waits_) ++first[at(w) + 1];
  for (std::size_t i = 0; i < n; ++i) first[i + 1] += first[i];
  std::vector<std::int32_t> fill(first.begin(), first.end() - 1);
  for (std::size_t i = 0; i < n; ++i) {
    const auto o = static_cast<std::int32_t>(i);
    left[i] = static_cast<std::int32_t>(waits(o).size());
    for (const std::int32_t w : waits(o)) next[at(fill[at(w)]++)] = o;
  }
  std::vector<std::int32_t> arrived(groups(), 0);
  order_.reserve(n);
  const auto can = [&](std::int32_t o) {
    const std::int32_t g = group(o);
    if (g < 0) {
      order_.push_back(o);
    } else if (const auto all = members(g); at(++arrived[at(g)]) == all.size()) {
      order_.insert(order_.end(), all.begin(), all.end());
    }
  };
  for (std::size_t i = 0; i < n; ++i) {
    if (left[i] == 0) can(static_cast<std::int32_t>(i));
  }
  for (std::size_t k = 0; k < order_.size(); ++k) {
    for (const std::int32_t follower : part(first, next, order_[k])) {
      if (--left[at(follower)] == 0) can(follower);
    }
  }
  return order_.size() == n;
}

/// From any operation that is stuck, on along what keeps it: a wait that is stuck too, or, when all
/// its waits can follow, a member of its group that cannot begin.
std::vector<std::int32_t> ReplayGraph::find_cycle() const {
  std::vector<bool> followed(size(), false);
  for (const std::int32_t o : order_) followed[at(o)] = true;
  const auto keeps = [&](std::int32_t o) {
    for (const std::int32_t w : waits(o)) {
      if (!followed[at(w)]) return w;
    }
    for (const std::int32_t m : members(group(o))) {
      for (const std::int32_t w : waits(m)) {
        if (!followed[at(w)]) return m;
      }
    }
    FORERUN_ASSERT(false, fmt::format("nothing keeps operation {}", o));
  };
  std::int32_t o = 0;
  while (followed[at(o)]) ++o;
  std::vector<std::int32_t> path, seen(size(), -1);
  while (seen[at(o)] < 0) {
    seen[at(o)] = static_cast<std::int32_t>(path.size());
    path.push_back(o);
    o = keeps(o);
  }
  path.erase(path.begin(), path.begin() + seen[at(o)]);
  return path;
}

Dates ReplayGraph::replay(std::span<const std::int64_t> durations,
                          std::span<const std::int64_t> gaps) const {
  FORERUN_ASSERT(durations.size() == size() && (gaps.empty() || gaps.size() == size()),
                 fmt::format("{} durations, {} gaps", durations.size(), gaps.size()));
  Dates d;
  d.begin.resize(size());
  d.end.resize(size());
  const auto begin = [&](std::int32_t o) {
    std::int64_t ready = 0;
    for (const std::int32_t w : waits(o)) ready = std::max(ready, d.end[at(w)]);
    if (!gaps.empty()) ready += gaps[at(o)];
    return d.begin[at(o)] = ready;
  };
  for (std::size_t k = 0; k < order_.size();) {
    const std::int32_t o = order_[k], g = group(o);
    if (g < 0) {
      d.end[at(o)] = begin(o) + durations[at(o)];
      ++k;
      continue;
    }
    const std::span<const std::int32_t> all = members(g);
    std::int64_t last = 0;
    for (const std::int32_t m : all) last = std::max(last, begin(m));
    for (const std::int32_t m : all) d.end[at(m)] = last + durations[at(m)];
    k += all.size();
  }
  return d;
}

std::vector<std::int32_t> longest_path(const ReplayGraph& graph, const Dates& dates,
                                       std::int32_t last) {
  std::vector<std::int32_t> path;
  for (std::int32_t o = last; o >= 0;) {
    path.push_back(o);
    std::int32_t held = o;  // whose begin set the end of `o`
    if (graph.group(o) >= 0) {
      for (const std::int32_t m : graph.members(graph.group(o))) {
        if (dates.begin[at(m)] > dates.begin[at(held)]) held = m;
      }
    }
    o = -1;
    for (const std::int32_t w : graph.waits(held)) {
      if (o < 0 || dates.end[at(w)] > dates.end[at(o)]) o = w;
    }
  }
  std::ranges::reverse(path);
  return path;
}

}  // namespace forerun::replay
