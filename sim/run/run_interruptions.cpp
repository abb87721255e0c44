#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "sim/run/simulated_run.h"

namespace forerun::sim {

using namespace literals;

bool SimulatedRun::short_of_nodes() const {
  if (pool_.missing() == 0) return false;
  if (s_.when_short == WhenShort::wait) return true;
  const double share = static_cast<double>(s_.replicas) / static_cast<double>(s_.nodes);
  return std::ceil(static_cast<double>(pool_.missing()) * share) >=
         static_cast<double>(s_.replicas);
}

/// Back to the newest state at or before `not_after` on a tier that survives `at_least`.
void SimulatedRun::restore(double not_after, Survives at_least) {
  const auto [back, load] = states_.fall_back(not_after, at_least, here(), segment_.pace);
  load_ = load;
  out_.steps_lost += step_ - back.step;
  use_[static_cast<std::size_t>(TimeUse::redone)] += counted_.sum() - back.counted.sum();
  step_ = back.step;
  counted_ = back.counted;
  for (std::size_t i = 0; i < due_.size(); ++i) due_[i] = step_ + s_.tiers[i].every_steps;
  if (s_.evaluation.every_steps > 0) {
    evaluate_at_ = (std::floor(step_ / s_.evaluation.every_steps) + 1) * s_.evaluation.every_steps;
  }
  std::erase_if(corrupt_, [this](const Corruption& c) { return c.step >= step_; });
}

void SimulatedRun::lose_nodes(std::int64_t lost) {
  for (std::int64_t i = 0; i < lost && pool_.lose(now()); ++i) {
    schedule(s_.replacement.at(repairs_.uniform()), {RunEventKind::node_back});
  }
}

void SimulatedRun::on_node_back() {
  const bool was_missing = pool_.missing() > 0;
  pool_.come_back(now());
  if (!was_missing) return;
  if (state_ == RunState::waiting) {
    if (!short_of_nodes()) come_back();
  } else if (pool_.missing() == 0 && is_up(state_)) {
    grows_ = true;
  }
}

/// From wherever the job stands to its restart, or to waiting for nodes.
void SimulatedRun::come_back() {
  if (short_of_nodes()) {
    enter(RunState::waiting);
    return;
  }
  grows_ = false;
  without_ = pool_.missing();
  enter(RunState::restarting, s_.restart.at(times_.uniform()) + load_);
}

/// Of those in storage, where a state is safe first.
std::size_t SimulatedRun::quickest_tier() const {
  std::size_t best = s_.tiers.size();
  for (std::size_t i = 0; i < s_.tiers.size(); ++i) {
    const TierTimes& t = s_.tiers[i];
    if (!t.slow) continue;
    if (best == s_.tiers.size() ||
        t.blocked + t.behind < s_.tiers[best].blocked + s_.tiers[best].behind) {
      best = i;
    }
  }
  return best;
}

/// Stands still until the state is in storage, and then does what was announced.
void SimulatedRun::save_then(AfterSave what, std::int32_t cause) {
  const std::size_t tier = quickest_tier();
  after_ = what;
  after_cause_ = cause;
  saving_ = static_cast<std::int32_t>(tier);
  const TierTimes& t = s_.tiers[tier];
  enter(RunState::saving, (t.blocked + t.behind).base());
}

void SimulatedRun::after_save() {
  states_.keep(static_cast<std::size_t>(saving_), here());
  saving_ = -1;
  const AfterSave what = std::exchange(after_, AfterSave::training);
  reason_ = after_cause_;
  restore(step_, Survives::all);
  switch (what) {
    case AfterSave::stop: {
      const auto cause = static_cast<std::size_t>(after_cause_);
      ++out_.interruptions[cause];
      lose_nodes(s_.reliability.causes[cause].nodes);
      come_back();
      return;
    }
    case AfterSave::maintenance:
      enter(RunState::maintaining, s_.maintenance.lasts.at(times_.uniform()));
      return;
    case AfterSave::exchange:
      lose_nodes(1);
      come_back();
      return;
    case AfterSave::growth:
    case AfterSave::training:
      come_back();
      return;
  }
}

void SimulatedRun::interrupt(std::int32_t cause, double not_after, bool silent) {
  const hw::FailureCause& c = s_.reliability.causes[static_cast<std::size_t>(cause)];
  close();
  if (after_ == AfterSave::maintenance) maintenance_due_ = true;
  after_ = AfterSave::training;
  ++out_.interruptions[static_cast<std::size_t>(cause)];
  reason_ = cause;
  const Survives needs = silent         ? Survives::all
                         : c.nodes == 0 ? Survives::process
                         : c.nodes == 1 ? Survives::node
                                        : Survives::all;
  restore(not_after, needs);
  lose_nodes(c.nodes);
  // Who was told, or has just found out, need not wait to notice.
  if (silent || c.planned || c.notice.base() > 0) {
    come_back();
  } else {
    enter(RunState::dead, s_.detection.at(times_.uniform()));
  }
}

void SimulatedRun::on_failure(std::int32_t cause) {
  const auto i = static_cast<std::size_t>(cause);
  const hw::FailureCause& c = s_.reliability.causes[i];
  next_failure(cause);
  // Nodes that are away do not fail.
  if (const auto away = static_cast<double>(pool_.missing());
      away > 0 && causes_[i].uniform() * static_cast<double>(s_.nodes) < away) {
    return;
  }
  if (c.silent) {
    if (!is_up(state_)) return;
    const double done =
        state_ == RunState::computing ? progress(segment_, now() - began_).steps : 0.0;
    const double step = std::floor(step_ + done);
    const bool seen = causes_[i].uniform() < c.noticed;
    const double after = c.unnoticed_for.at(causes_[i].uniform());
    if (!seen) return;
    corrupt_.push_back({++corruptions_, step});
    schedule(after, {RunEventKind::noticed, cause, corruptions_});
    return;
  }
  if (!is_up(state_) && state_ != RunState::restarting) {
    // The job is down already: one node more to replace.
    lose_nodes(c.nodes);
    return;
  }
  if (state_ == RunState::restarting && c.nodes == 0) return;
  const TierTimes& quickest = s_.tiers[quickest_tier()];
  const bool told =
      c.planned || (c.notice.base() > 0 && c.notice >= quickest.blocked + quickest.behind);
  if (told && is_up(state_) && after_ == AfterSave::training) {
    save_then(AfterSave::stop, cause);
    return;
  }
  interrupt(cause, std::numeric_limits<double>::infinity(), false);
}

void SimulatedRun::on_noticed(const RunEvent& e) {
  const auto found = std::ranges::find(corrupt_, e.generation, &Corruption::id);
  if (found == corrupt_.end()) return;  // undone by another fall-back
  if (!is_up(state_) && state_ != RunState::restarting) {
    // The job is down: it will start from before the corruption.
    const double step = found->step;
    close();
    restore(step, Survives::all);
    return;
  }
  interrupt(e.index, found->step, true);
}

void SimulatedRun::roll_back() {
  const Rollback& r = (*rollbacks_)[rollback_++];
  close();
  ++out_.rollbacks;
  reason_ = -1;
  restore(r.to, Survives::process);
  come_back();
}

}  // namespace forerun::sim
