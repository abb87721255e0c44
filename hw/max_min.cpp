#include "hw/max_min.h"

#include <fmt/format.h>

#include <algorithm>
#include <queue>
#include <utility>

#include "core/error.h"

namespace forerun::hw {
namespace {

constexpr double kSameLevel = 1e-9;
// Below this share of what a link began with, differences of large numbers are taken anew.
constexpr double kDrift = 1e-3;

}  // namespace

MaxMin::MaxMin(std::vector<double> capacity) : links_(capacity.size()) {
  for (std::size_t i = 0; i < capacity.size(); ++i) {
    FORERUN_ASSERT(capacity[i] > 0, fmt::format("link {} of capacity {}", i, capacity[i]));
    links_[i].capacity = capacity[i];
  }
}

void MaxMin::mark(std::int32_t link) {
  Link& l = links_[static_cast<std::size_t>(link)];
  if (!l.dirty) dirty_.push_back(link);
  l.dirty = true;
}

MaxMin::Flow MaxMin::add(const std::vector<LinkUse>& uses) {
  FORERUN_ASSERT(!uses.empty(), "a flow over no link");
  Flow f = 0;
  if (free_.empty()) {
    f = static_cast<Flow>(flows_.size());
    flows_.emplace_back();
  } else {
    f = free_.back();
    free_.pop_back();
  }
  State& s = flows_[static_cast<std::size_t>(f)];
  s.rate = 0;
  s.is_new = true;
  added_.push_back(f);
  s.uses.reserve(uses.size());
  for (const LinkUse& u : uses) {
    FORERUN_ASSERT(u.share > 0, fmt::format("a share of {}", u.share));
    std::vector<Member>& members = links_[static_cast<std::size_t>(u.link)].members;
    s.uses.push_back({u.link, static_cast<std::int32_t>(members.size()), u.share});
    members.push_back({f, static_cast<std::int32_t>(s.uses.size() - 1), u.share});
    mark(u.link);
  }
  return f;
}

void MaxMin::set_capacity(std::int32_t link, double capacity) {
  Link& l = links_[static_cast<std::size_t>(link)];
  FORERUN_ASSERT(l.members.empty() && capacity > 0,
                 fmt::format("link {} of {} flows, capacity {}", link, l.members.size(), capacity));
  l.capacity = capacity;
}

void MaxMin::remove(Flow f) {
  State& s = flows_[static_cast<std::size_t>(f)];
  if (!s.is_new) floor_ = std::min(floor_, s.rate);
  for (const Use& u : s.uses) {
    std::vector<Member>& members = links_[static_cast<std::size_t>(u.link)].members;
    const Member last = members.back();
    members[static_cast<std::size_t>(u.place)] = last;
    members.pop_back();
    // The last may be this flow itself: then what is written is not read again.
    flows_[static_cast<std::size_t>(last.flow)].uses[static_cast<std::size_t>(last.use)].place =
        u.place;
    mark(u.link);
  }
  if (s.is_new) std::erase(added_, f);
  s.is_new = false;
  s.uses.clear();
  s.rate = 0;
  free_.push_back(f);
}

/// A flow that came gets at least the least even share of its links: of each, were it the first to
/// fill.
void MaxMin::find_floor() {
  if (added_.empty()) return;
  for (const std::int32_t link : dirty_) {
    Link& l = links_[static_cast<std::size_t>(link)];
    l.all = 0;
    for (const Member& m : l.members) l.all += m.share;
  }
  for (const Flow f : added_) {
    for (const Use& u : flows_[static_cast<std::size_t>(f)].uses) {
      const Link& l = links_[static_cast<std::size_t>(u.link)];
      floor_ = std::min(floor_, l.capacity / l.all);
    }
  }
}

/// Every flow that is not below the floor and is connected to a dirty link through such flows.
void MaxMin::collect() {
  const double floor = floor_ * (1 - kSameLevel);
  component_links_.clear();
  component_flows_.clear();
  const auto reach = [&](std::int32_t link) {
    Link& l = links_[static_cast<std::size_t>(link)];
    if (l.seen == solves_) return;
    l.seen = solves_;
    component_links_.push_back(link);
  };
  for (const std::int32_t link : dirty_) {
    links_[static_cast<std::size_t>(link)].dirty = false;
    reach(link);
  }
  dirty_.clear();
  // reach() makes the list longer meanwhile.
  std::size_t next = 0;
  while (next < component_links_.size()) {
    Link& l = links_[static_cast<std::size_t>(component_links_[next++])];
    l.left = l.capacity;
    l.rising = 0;
    l.count = 0;
    for (const Member& m : l.members) {
      State& state = flows_[static_cast<std::size_t>(m.flow)];
      if (state.seen != solves_ && state.rate < floor && !state.is_new) {
        l.left -= m.share * state.rate;
        continue;
      }
      ++l.count;
      l.rising += m.share;
      if (state.seen == solves_) continue;
      state.seen = solves_;
      state.frozen = false;
      component_flows_.push_back(m.flow);
      for (const Use& u : state.uses) reach(u.link);
    }
    l.all = l.rising;
    uses_solved_ += static_cast<std::int64_t>(l.members.size());
  }
  flows_solved_ += static_cast<std::int64_t>(component_flows_.size());
}

double MaxMin::level(Link& l) const {
  if (l.left < kDrift * l.capacity || l.rising < kDrift * l.all) {
    l.left = l.capacity;
    l.rising = 0;
    for (const Member& m : l.members) {
      const State& s = flows_[static_cast<std::size_t>(m.flow)];
      if (s.frozen) {
        l.left -= m.share * s.rate;
      } else {
        l.rising += m.share;
      }
    }
  }
  return std::max(0.0, l.left) / l.rising;
}

void MaxMin::fill() {
  using Entry = std::pair<double, std::int32_t>;
  std::vector<Entry> entries;
  entries.reserve(component_links_.size());
  for (const std::int32_t link : component_links_) {
    Link& l = links_[static_cast<std::size_t>(link)];
    if (l.count > 0) entries.emplace_back(level(l), link);
  }
  std::priority_queue heap(std::greater<>{}, std::move(entries));
  double now = 0;
  while (!heap.empty()) {
    const auto [dated, link] = heap.top();
    heap.pop();
    Link& l = links_[static_cast<std::size_t>(link)];
    if (l.count == 0) continue;
    const double risen = level(l);
    if (risen > dated * (1 + kSameLevel)) {
      heap.emplace(risen, link);
      continue;
    }
    if (risen > now * (1 + kSameLevel)) now = risen;
    for (const Member& m : l.members) {
      State& s = flows_[static_cast<std::size_t>(m.flow)];
      if (s.frozen) continue;
      s.frozen = true;
      s.rate = now;
      for (const Use& u : s.uses) {
        Link& other = links_[static_cast<std::size_t>(u.link)];
        other.left -= u.share * now;
        other.rising -= u.share;
        --other.count;
      }
    }
  }
}

const std::vector<MaxMin::Flow>& MaxMin::solve() {
  changed_.clear();
  if (dirty_.empty()) return changed_;
  ++solves_;
  find_floor();
  collect();
  before_.clear();
  for (const Flow f : component_flows_) before_.push_back(rate(f));
  fill();
  for (const Flow f : added_) flows_[static_cast<std::size_t>(f)].is_new = false;
  added_.clear();
  floor_ = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < component_flows_.size(); ++i) {
    if (rate(component_flows_[i]) != before_[i]) changed_.push_back(component_flows_[i]);
  }
  return changed_;
}

}  // namespace forerun::hw
