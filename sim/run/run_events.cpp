#include "sim/run/run_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "sim/run/simulated_run.h"

namespace forerun::sim {
namespace {

// A run of more is given up: nobody means a machine that fails by the second.
constexpr std::uint64_t kMostEvents = 300'000;

double error_factor(const RunSetup& s, Draws& from) {
  if (s.error_low == 0 && s.error_high == 0) return 1;
  constexpr double kTenth = 1.2815515655446004;  // of a normal variate, the 90th percentile
  const double z = from.normal();
  // Two half normals about the prediction; about the middle if the band leaves the prediction out.
  if (s.error_low >= 0 || s.error_high <= 0) {
    const double middle = (s.error_low + s.error_high) / 2;
    return std::exp(middle + z * (s.error_high - s.error_low) / 2 / kTenth);
  }
  return std::exp(z < 0 ? -z * s.error_low / kTenth : z * s.error_high / kTenth);
}

}  // namespace

SimulatedRun::SimulatedRun(const RunSetup& setup, std::uint64_t seed, std::uint64_t draw,
                           std::vector<RunMoment>* moments)
    : s_(setup),
      seed_(seed),
      name_(fmt::format("run/{}/", draw)),
      moments_(moments),
      steps_(seed, name_ + "steps"),
      times_(seed, name_ + "times"),
      repairs_(seed, name_ + "repairs"),
      stalls_(seed, name_ + "stalls"),
      states_(s_.tiers, !s_.rollbacks.empty() ||
                            std::ranges::any_of(s_.reliability.causes, &hw::FailureCause::silent)),
      pool_(s_.nodes, s_.spares) {
  Draws error(seed, name_ + "error");
  error_ = error_factor(s_, error);
  if (s_.stragglers) straggles_ = s_.stragglers->slowdown(Stream(seed, name_ + "stragglers"));
  if (!s_.rollbacks.empty()) rollbacks_ = &s_.rollbacks[draw % s_.rollbacks.size()];
  for (const TierTimes& t : s_.tiers) due_.push_back(t.every_steps);
  std::int32_t slow = 0;
  for (std::size_t i = 0; i < s_.tiers.size(); ++i) {
    if (!s_.tiers[i].slow) continue;
    ++slow;
    saves_ = static_cast<std::int32_t>(i);
  }
  FORERUN_ASSERT(slow > 0, "no checkpoint in storage");
  if (slow != 1) saves_ = -1;
  evaluate_at_ = s_.evaluation.every_steps > 0 ? s_.evaluation.every_steps
                                               : std::numeric_limits<double>::infinity();
  out_.interruptions.assign(s_.reliability.causes.size(), 0);
}

void SimulatedRun::begin_arrivals() {
  for (const hw::FailureCause& c : s_.reliability.causes) {
    causes_.emplace_back(seed_, name_ + "failure/" + c.name, c.per_1000_node_days,
                         s_.reference_nodes, c.shape, c.life);
    next_failure(static_cast<std::int32_t>(causes_.size()) - 1);
  }
  for (const hw::SlowNodes& slow : s_.reliability.slow) {
    slow_kinds_.emplace_back(seed_, name_ + "slow/" + slow.name, slow.per_1000_node_days,
                             s_.reference_nodes, 1.0, Seconds(1));
    next_slow(static_cast<std::int32_t>(slow_kinds_.size()) - 1);
  }
  if (s_.maintenance.every.base() > 0) {
    schedule(s_.maintenance.every.base(), {RunEventKind::maintenance});
  }
  next_stall();
}

void SimulatedRun::next_failure(std::int32_t cause) {
  const double t = run_seconds(now());
  const auto next = causes_[static_cast<std::size_t>(cause)].after(t);
  if (next && *next < s_.longest.base()) schedule(*next - t, {RunEventKind::failure, cause});
}

void SimulatedRun::next_slow(std::int32_t kind) {
  const double t = run_seconds(now());
  const auto next = slow_kinds_[static_cast<std::size_t>(kind)].after(t);
  if (next && *next < s_.longest.base()) schedule(*next - t, {RunEventKind::slow_begin, kind});
}

void SimulatedRun::next_stall() {
  if (s_.stalls_per_second > 0) {
    schedule(stalls_.exponential() / s_.stalls_per_second, {RunEventKind::stall});
  }
}

void SimulatedRun::handle(const RunEvent& e) {
  if (state_ == RunState::done) return;
  if (++events_ > kMostEvents) {
    give_up();
    return;
  }
  switch (e.kind) {
    case RunEventKind::give_up:
      give_up();
      return;
    case RunEventKind::boundary:
      if (e.generation == generation_) compute();
      return;
    case RunEventKind::activity:
      if (e.generation != generation_) return;
      if (state_ == RunState::saving && after_ != AfterSave::training) {
        after_save();
        return;
      }
      if (state_ == RunState::saving) end_save();
      if (state_ == RunState::dead || state_ == RunState::maintaining) {
        come_back();
      } else {
        compute();
      }
      return;
    case RunEventKind::written:
      // The next one may have been waiting for it.
      if (states_.written(static_cast<std::size_t>(e.index), e.generation) &&
          state_ == RunState::computing) {
        compute();
      }
      return;
    case RunEventKind::failure:
      on_failure(e.index);
      return;
    case RunEventKind::noticed:
      on_noticed(e);
      return;
    case RunEventKind::slow_begin: {
      const auto i = static_cast<std::size_t>(e.index);
      const hw::SlowNodes& slow = s_.reliability.slow[i];
      slow_.push_back({e.index, slow.slowdown.at(slow_kinds_[i].uniform()), ++slow_ids_});
      schedule(slow.lasts.at(slow_kinds_[i].uniform()),
               {RunEventKind::slow_end, e.index, slow_ids_});
      next_slow(e.index);
      if (state_ == RunState::computing) compute();
      return;
    }
    case RunEventKind::slow_end: {
      std::erase_if(slow_, [&](const Slow& s) { return s.id == e.generation; });
      if (s_.reliability.slow[static_cast<std::size_t>(e.index)].exchanged && is_up(state_)) {
        if (after_ == AfterSave::training) save_then(AfterSave::exchange);
      } else if (state_ == RunState::computing) {
        compute();
      }
      return;
    }
    case RunEventKind::node_back:
      on_node_back();
      return;
    case RunEventKind::maintenance:
      schedule(s_.maintenance.every.base(), e);
      maintenance_due_ = true;
      if (state_ == RunState::computing) compute();
      return;
    case RunEventKind::stall:
      next_stall();
      if (state_ == RunState::computing) enter(RunState::stalled, s_.stall.at(stalls_.uniform()));
      return;
  }
}

RunDraw SimulatedRun::simulate() {
  begin_arrivals();
  schedule(s_.longest.base(), {RunEventKind::give_up});
  out_.finished = false;
  state_ = RunState::restarting;  // for what is accounted before the first step: nothing
  compute();
  engine_.run([this](const RunEvent& e) { handle(e); });
  // The end of the last activity, which later events of the queue do not move.
  use_[static_cast<std::size_t>(TimeUse::training)] += counted_.training;
  use_[static_cast<std::size_t>(TimeUse::slowdown)] += counted_.slowdown;
  use_[static_cast<std::size_t>(TimeUse::starved)] += counted_.starved;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < kTimeUses; ++i) {
    sum += use_[i];
    out_.use[i] = Seconds(run_seconds(use_[i]));
  }
  FORERUN_ASSERT(sum == began_, fmt::format("{} ticks accounted of {}", sum, began_));
  out_.duration = Seconds(run_seconds(began_));
  out_.steps_done = step_;
  out_.checkpoints = states_.kept();
  out_.nodes_replaced = pool_.replaced();
  out_.node_time = static_cast<double>(s_.nodes + s_.spares) * out_.duration;
  out_.job_node_time = static_cast<double>(s_.nodes) * out_.duration -
                       Seconds(run_seconds(pool_.missing_ticks(began_)));
  return out_;
}

RunDraw simulate_run_in_time(const RunSetup& setup, std::uint64_t seed, std::uint64_t draw,
                             std::vector<RunMoment>* moments) {
  return SimulatedRun(setup, seed, draw, moments).simulate();
}

}  // namespace forerun::sim
