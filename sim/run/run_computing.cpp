#include <algorithm>
#include <cmath>
#include <numbers>

#include "sim/run/simulated_run.h"

namespace forerun::sim {

using namespace literals;

void SimulatedRun::close() {
  const std::int64_t elapsed = now() - began_;
  const double from = step_;
  TimeUse use = TimeUse::training;
  switch (state_) {
    case RunState::computing:
      close_segment(elapsed);
      break;
    case RunState::saving:
      use = TimeUse::checkpoint;
      break;
    case RunState::evaluating:
      use = TimeUse::evaluation;
      break;
    case RunState::stalled:
      counted_.starved += elapsed;
      use = TimeUse::starved;
      break;
    case RunState::dead:
      use = TimeUse::detection;
      break;
    case RunState::restarting:
      use = TimeUse::restart;
      break;
    case RunState::waiting:
      use = TimeUse::waiting;
      break;
    case RunState::maintaining:
      use = TimeUse::maintenance;
      break;
    case RunState::done:
      return;
  }
  if (state_ != RunState::computing && state_ != RunState::stalled) {
    use_[static_cast<std::size_t>(use)] += elapsed;
  }
  if (moments_ != nullptr && elapsed > 0) {
    moments_->push_back({use, Seconds(run_seconds(began_)), Seconds(run_seconds(now())), from,
                         step_, is_up(state_) ? -1 : reason_});
  }
  began_ = now();
}

const TierTimes* SimulatedRun::saves_on_the_way() const {
  return saves_ >= 0 ? &s_.tiers[static_cast<std::size_t>(saves_)] : nullptr;
}

/// Accounts for the steps and the checkpoints of a segment of which so much has passed.
void SimulatedRun::close_segment(std::int64_t elapsed) {
  if (elapsed == 0) return;
  const SegmentProgress p = progress(segment_, elapsed);
  const Pace& pace = segment_.pace;
  const std::int64_t saving =
      std::min(elapsed, run_ticks(static_cast<double>(p.saves) * segment_.blocked + p.in_save));
  const std::int64_t copying = std::min(elapsed - saving, run_ticks(p.steps * pace.copied));
  use_[static_cast<std::size_t>(TimeUse::checkpoint)] += saving + copying;
  const std::int64_t computed = elapsed - saving - copying;
  const Saved before = here();
  Counted c;
  c.training = std::min(computed, run_ticks(p.steps * pace.healthy));
  c.starved = std::min(computed - c.training, run_ticks(p.steps * pace.starved));
  // What rounding leaves of a pace that is nothing but the healthy one is no slowdown.
  const std::int64_t rest = computed - c.training - c.starved;
  const bool slowed = pace.slowed() > 1e-12 * pace.step;
  (slowed ? c.slowdown : c.training) += rest;
  counted_.training += c.training;
  counted_.slowdown += c.slowdown;
  counted_.starved += c.starved;
  out_.computing += Seconds(run_seconds(computed - c.starved));
  step_ = before.step + p.steps;
  if (p.saves == 0) return;

  // The checkpoints on the way: those that were written count, the last may still be written.
  const auto tier = static_cast<std::size_t>(saves_);
  const auto state_at = [&](double step) {
    const double share = p.steps > 0 ? (step - before.step) / p.steps : 0;
    const auto part = [share](std::int64_t ticks) {
      return static_cast<std::int64_t>(std::llround(share * static_cast<double>(ticks)));
    };
    return Saved{
        step,
        {before.counted.training + part(c.training), before.counted.slowdown + part(c.slowdown),
         before.counted.starved + part(c.starved)}};
  };
  const double first = due_[tier], every = segment_.every;
  const double left = s_.tiers[tier].behind.base() - p.since_last_save;
  const std::int64_t written = p.saves - (left > 0 ? 1 : 0);
  const std::int64_t from = states_.keeps_all() ? 0 : std::max<std::int64_t>(0, written - 1);
  for (std::int64_t k = from; k < written; ++k) {
    states_.keep(tier, state_at(first + static_cast<double>(k) * every));
  }
  states_.count(from);
  due_[tier] = first + static_cast<double>(p.saves) * every;
  if (left > 0) begin_writing(tier, state_at(due_[tier] - every), left);
}

void SimulatedRun::enter(RunState state) {
  close();
  state_ = state;
  ++generation_;
}

void SimulatedRun::enter(RunState state, double lasts) {
  enter(state);
  schedule(lasts, {RunEventKind::activity, 0, generation_});
}

double SimulatedRun::shrunk() const {
  if (without_ == 0) return 1;
  const double share = static_cast<double>(s_.replicas) / static_cast<double>(s_.nodes);
  const double lost = std::ceil(static_cast<double>(without_) * share);
  const double left = static_cast<double>(s_.replicas) - lost;
  const double fill = s_.stages - 1;
  return (std::ceil(s_.micro_batches * static_cast<double>(s_.replicas) / left) + fill) /
         (s_.micro_batches + fill);
}

Pace SimulatedRun::pace() const {
  const RunPhase& p = phase();
  Pace out;
  out.healthy = p.step.base() * error_;
  double slow = 1;
  for (const Slow& one : slow_) slow = std::max(slow, one.factor);
  double heat = 1;
  if (s_.diurnal > 0) {
    const double day = run_seconds(now()) / (1.0_days).base();
    heat += s_.diurnal * (1 - std::cos(2 * std::numbers::pi * day)) / 2;
  }
  const double machine = out.healthy * straggles_ * slow * heat * shrunk();
  out.starved = std::max(0.0, p.data.base() - machine);
  for (const TierTimes& t : s_.tiers) {
    if (!t.slow) out.copied += t.blocked.base() / t.every_steps;
  }
  out.step = machine + out.starved + out.copied;
  return out;
}

double SimulatedRun::target() const {
  double to = s_.steps;
  if (phase_ + 1 < s_.phases.size()) to = std::min(to, s_.phases[phase_ + 1].from_step);
  for (std::size_t i = 0; i < s_.tiers.size(); ++i) {
    const bool on_the_way = segment_.saves > 0 && static_cast<std::int32_t>(i) == saves_;
    if (s_.tiers[i].slow && !states_.writing(i) && !on_the_way) to = std::min(to, due_[i]);
  }
  to = std::min(to, evaluate_at_);
  if (rollbacks_ != nullptr && rollback_ < rollbacks_->size()) {
    to = std::min(to, (*rollbacks_)[rollback_].at);
  }
  return to;
}

/// Does what is due at this step; false if nothing is, and steps may be computed.
bool SimulatedRun::at_boundary() {
  if (rollbacks_ != nullptr && rollback_ < rollbacks_->size() &&
      step_ >= (*rollbacks_)[rollback_].at) {
    roll_back();
    return true;
  }
  if (step_ >= s_.steps) {
    finish();
    return true;
  }
  if (maintenance_due_) {
    maintenance_due_ = false;
    save_then(AfterSave::maintenance);
    return true;
  }
  if (grows_ && pool_.missing() == 0) {
    save_then(AfterSave::growth);
    return true;
  }
  for (std::size_t i = 0; i < s_.tiers.size(); ++i) {
    if (s_.tiers[i].slow && !states_.writing(i) && step_ >= due_[i]) {
      begin_save(static_cast<std::int32_t>(i));
      return true;
    }
  }
  if (step_ >= evaluate_at_) {
    evaluate_at_ += s_.evaluation.every_steps;
    enter(RunState::evaluating, s_.evaluation.lasts.base());
    return true;
  }
  return false;
}

void SimulatedRun::compute() {
  close();
  while (phase_ + 1 < s_.phases.size() && step_ >= s_.phases[phase_ + 1].from_step) ++phase_;
  while (phase_ > 0 && step_ < s_.phases[phase_].from_step) --phase_;
  if (at_boundary()) return;
  enter(RunState::computing);
  plan_segment();
  schedule(run_seconds(segment_.ticks), {RunEventKind::boundary, 0, generation_});
}

void SimulatedRun::plan_segment() {
  segment_ = {};
  Pace& pace = segment_.pace = this->pace();
  const TierTimes* tier = saves_on_the_way();
  const double due = tier != nullptr ? due_[static_cast<std::size_t>(saves_)] : 0;
  // Checkpoints need no events of their own where one is written long before the next.
  if (tier != nullptr && !states_.writing(static_cast<std::size_t>(saves_)) &&
      tier->behind.base() < 0.5 * tier->every_steps * pace.step) {
    segment_.saves = 1;
    segment_.to_first = due - step_;
    segment_.every = tier->every_steps;
    segment_.blocked = tier->blocked.base();
  }
  segment_.steps = target() - step_;
  if (s_.diurnal > 0) {
    segment_.steps = std::min(segment_.steps, std::max(1.0, (1.0_h).base() / pace.step));
  }
  if (segment_.saves > 0) {
    // One that is due at the segment's end has its own event.
    const double count = std::ceil((step_ + segment_.steps - due) / tier->every_steps);
    segment_.saves = static_cast<std::int64_t>(std::max(0.0, count));
  }
  if (s_.step_jitter > 0) {
    const double spread = s_.step_jitter / std::sqrt(std::max(1.0, segment_.steps));
    const double jitter = std::max(0.1, 1 + spread * steps_.normal());
    for (double* part : {&pace.step, &pace.healthy, &pace.starved, &pace.copied}) *part *= jitter;
  }
  segment_.ticks = run_ticks(segment_.steps * pace.step +
                             static_cast<double>(segment_.saves) * segment_.blocked);
}

void SimulatedRun::begin_writing(std::size_t tier, const Saved& saved, double lasts) {
  const std::uint32_t write = states_.begin_writing(tier, saved);
  schedule(lasts, {RunEventKind::written, static_cast<std::int32_t>(tier), write});
}

void SimulatedRun::begin_save(std::int32_t tier) {
  saving_ = tier;
  enter(RunState::saving, s_.tiers[static_cast<std::size_t>(tier)].blocked.base());
}

void SimulatedRun::end_save() {
  const auto i = static_cast<std::size_t>(saving_);
  due_[i] = step_ + s_.tiers[i].every_steps;
  const double behind = s_.tiers[i].behind.base();
  if (behind > 0) {
    begin_writing(i, here(), behind);
  } else {
    states_.keep(i, here());
  }
  saving_ = -1;
}

void SimulatedRun::finish() {
  enter(RunState::done);
  out_.finished = true;
}

void SimulatedRun::give_up() { enter(RunState::done); }

}  // namespace forerun::sim
