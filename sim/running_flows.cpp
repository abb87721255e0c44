#include "sim/running_flows.h"

#include <algorithm>
#include <cmath>

#include "sim/engine.h"

namespace forerun::sim {
namespace {

/// A share this close to a flow's own rate is all of it, but for rounding.
constexpr double kWhole = 1 - 1e-9;

/// The links, then one of each slot and of each of other jobs' flows, as wide as its own rate: no
/// flow is faster than alone.
std::vector<double> capacities(const SharedLinks& links, std::size_t slots) {
  std::vector<double> all = links.capacity;
  all.resize(all.size() + slots + links.background.size(), 1);
  return all;
}

}  // namespace

RunningFlows::RunningFlows(const SharedLinks& links, std::size_t slots)
    : links_(links), solver_(capacities(links, slots)), slots_(slots) {
  for (std::size_t i = 0; i < links.background.size(); ++i) {
    const auto flow = static_cast<std::size_t>(links.background[i]);
    enter(add(links.flows[flow], static_cast<std::int32_t>(links.capacity.size() + slots + i)), -1);
  }
}

hw::MaxMin::Flow RunningFlows::add(const SharedFlow& flow, std::int32_t own_link) {
  solver_.set_capacity(own_link, flow.rate);
  std::vector<hw::LinkUse> uses = links_.patterns[static_cast<std::size_t>(flow.pattern)];
  uses.push_back({own_link, 1});
  return solver_.add(uses);
}

void RunningFlows::enter(hw::MaxMin::Flow flow, std::int32_t slot) {
  if (slot_of_.size() <= static_cast<std::size_t>(flow)) {
    slot_of_.resize(static_cast<std::size_t>(flow) + 1);
  }
  slot_of_[static_cast<std::size_t>(flow)] = slot;
}

void RunningFlows::start(std::size_t slot, std::int32_t flow, std::int64_t work, std::int64_t now) {
  const SharedFlow& f = links_.flows[static_cast<std::size_t>(flow)];
  Slot& s = slots_[slot];
  FORERUN_ASSERT(s.solver < 0, "a stream sends twice at once");
  s.solver = add(f, static_cast<std::int32_t>(links_.capacity.size() + slot));
  s.since = now;
  s.sent = -1;
  s.left = static_cast<double>(work);
  s.speed = 0;
  s.rate = f.rate;
  enter(s.solver, static_cast<std::int32_t>(slot));
}

void RunningFlows::stop(std::size_t slot) {
  solver_.remove(slots_[slot].solver);
  slots_[slot].solver = -1;
}

bool RunningFlows::redate(Slot& s, std::int64_t now) const {
  const double share = solver_.rate(s.solver) / s.rate;
  s.left = std::max(0.0, s.left - s.speed * static_cast<double>(now - s.since));
  s.since = now;
  s.speed = share > kWhole ? 1.0 : share;
  const double ticks = s.left / s.speed;
  check_length(ticks);
  const std::int64_t sent = now + static_cast<std::int64_t>(std::ceil(ticks));
  const bool other = sent != s.sent;
  s.sent = sent;
  return other;
}

}  // namespace forerun::sim
