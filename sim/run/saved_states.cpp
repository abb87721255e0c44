#include "sim/run/saved_states.h"

#include <algorithm>
#include <cmath>

#include "sim/run/run_ticks.h"

namespace forerun::sim {

SavedStates::SavedStates(const std::vector<TierTimes>& tiers, bool keep_all)
    : tiers_(tiers), places_(tiers.size()), keep_all_(keep_all) {
  for (Place& p : places_) p.states.push_back({});
}

void SavedStates::keep(std::size_t tier, const Saved& saved) {
  std::vector<Saved>& states = places_[tier].states;
  if (!states.empty() && states.back().step == saved.step) states.pop_back();
  if (!keep_all_) states.clear();
  states.push_back(saved);
  ++kept_;
}

std::uint32_t SavedStates::begin_writing(std::size_t tier, const Saved& saved) {
  Place& p = places_[tier];
  p.writing = true;
  p.pending = saved;
  return ++p.write;
}

bool SavedStates::written(std::size_t tier, std::uint32_t write) {
  Place& p = places_[tier];
  if (!p.writing || p.write != write) return false;
  p.writing = false;
  keep(tier, p.pending);
  return true;
}

std::optional<Saved> SavedStates::in_memory(std::size_t tier, const Saved& now,
                                            const Pace& pace) const {
  const TierTimes& t = tiers_[tier];
  if (!(pace.step > 0)) return std::nullopt;
  const double reached = now.step - t.behind.base() / pace.step;
  const double step =
      copied_from_ + std::floor((reached - copied_from_) / t.every_steps) * t.every_steps;
  if (step <= copied_from_) {
    // Nothing newer than what the job came back to, which is still there if it was in memory.
    const std::vector<Saved>& held = places_[tier].states;
    return held.empty() ? std::nullopt : std::optional(held.back());
  }
  const auto back = [&](std::int64_t counted, double a_step) {
    return std::max<std::int64_t>(0, counted - run_ticks((now.step - step) * a_step));
  };
  return Saved{step,
               {back(now.counted.training, pace.healthy),
                back(now.counted.slowdown, std::max(0.0, pace.slowed())),
                back(now.counted.starved, pace.starved)}};
}

SavedStates::FallBack SavedStates::fall_back(double not_after, Survives at_least, const Saved& now,
                                             const Pace& pace) {
  std::optional<Saved> newest;
  std::size_t from = 0;
  const auto offer = [&](std::size_t tier, const Saved& saved) {
    // Of two at one step the faster tier is read.
    if (newest && (saved.step < newest->step ||
                   (saved.step == newest->step && tiers_[tier].load >= tiers_[from].load))) {
      return;
    }
    newest = saved;
    from = tier;
  };
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& p = places_[i];
    p.writing = false;
    if (tiers_[i].survives < at_least) {
      p.states.clear();
      continue;
    }
    if (!tiers_[i].slow) {
      const std::optional<Saved> copy = in_memory(i, now, pace);
      if (copy && copy->step <= not_after) offer(i, *copy);
      continue;
    }
    const auto last = std::find_if(p.states.rbegin(), p.states.rend(),
                                   [&](const Saved& s) { return s.step <= not_after; });
    if (last != p.states.rend()) offer(i, *last);
  }
  const Saved back = newest.value_or(Saved{});
  copied_from_ = back.step;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    std::vector<Saved>& states = places_[i].states;
    if (!tiers_[i].slow && tiers_[i].survives >= at_least) states = {back};
    while (!states.empty() && states.back().step > back.step) states.pop_back();
  }
  return {back, back.step > 0 ? tiers_[from].load.base() : 0.0};
}

}  // namespace forerun::sim
