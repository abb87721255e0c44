#include "sim/run/run_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "core/random.h"
#include "sim/engine.h"
#include "sim/engine.inl"

namespace forerun::sim {
namespace {

using namespace literals;

constexpr double kTicksASecond = 1e6;  // of a run; a step's are picoseconds

std::int64_t ticks_of(double seconds) {
  return static_cast<std::int64_t>(std::ceil(seconds * kTicksASecond));
}
// A run of more is given up: nobody means a machine that fails by the second.
constexpr std::uint64_t kMostEvents = 300'000;
double seconds_of(std::int64_t ticks) { return static_cast<double>(ticks) / kTicksASecond; }

/// A named stream that hands out its draws in order.
class Source {
 public:
  Source(std::uint64_t seed, const std::string& name) : stream_(seed, name) {}
  double uniform() { return stream_.uniform(next_++); }
  double normal() { return stream_.normal(next_++); }
  double exponential() { return stream_.exponential(next_++); }

 private:
  Stream stream_;
  std::uint64_t next_ = 0;
};

/// Events of one kind over the run: a Poisson process whose rate may change with age.
class Arrivals {
 public:
  Arrivals(std::uint64_t seed, const std::string& name, Range per_1000_node_days, double nodes,
           double shape, Seconds life)
      : source_(seed, name), shape_(shape), life_(life.base()) {
    rate_ = per_1000_node_days.at(source_.uniform()) / 1000 / (1.0_days).base() * nodes;
  }
  /// Seconds of the next event after `now`; nothing if none ever comes.
  std::optional<double> after(double now) {
    if (!(rate_ > 0)) return std::nullopt;
    const double e = source_.exponential();
    if (shape_ == 1) return now + e / rate_;
    const double sofar = std::pow(now / life_, shape_);
    return life_ * std::pow(sofar + e / (rate_ * life_), 1 / shape_);
  }
  double uniform() { return source_.uniform(); }

 private:
  Source source_;
  double rate_ = 0, shape_ = 1, life_ = 1;
};

enum class Kind : std::uint8_t {
  boundary,  // the segment of steps has ended
  activity,  // checkpoint, evaluation, stall, detection, restart or maintenance has ended
  written,   // a checkpoint behind the training counts now
  failure,
  noticed,  // silent corruption
  slow_begin,
  slow_end,
  give_up,  // the longest time that is simulated is over
  node_back,
  maintenance,
  stall
};

struct Event {
  Kind kind;
  std::int32_t index = 0;        // of a cause, a tier, a slow kind
  std::uint32_t generation = 0;  // of the activity or write that it ends
};

enum class State : std::uint8_t {
  computing,
  saving,
  evaluating,
  stalled,
  dead,
  restarting,
  waiting,
  maintaining,
  done
};

/// What a save is made for.
enum class After : std::uint8_t { training, stop, maintenance, exchange, growth };

bool is_up(State s) {
  return s == State::computing || s == State::saving || s == State::evaluating ||
         s == State::stalled;
}

/// Ticks of steps that count, by what they were spent on.
struct Counted {
  std::int64_t training = 0, slowdown = 0, starved = 0;
  [[nodiscard]] std::int64_t sum() const { return training + slowdown + starved; }
};

/// The state of the training at a step.
struct Saved {
  double step = 0;
  Counted counted;
};

struct Tier {
  std::vector<Saved> saved;  // those in storage are kept; else the last one
  double due = 0;            // step
  bool writing = false;
  Saved pending;
  std::uint32_t generation = 0;
};

class Run {
 public:
  Run(const RunSetup& setup, std::uint64_t seed, std::uint64_t draw,
      std::vector<RunMoment>* moments);
  RunDraw simulate();

 private:
  struct Pace {
    double step = 0;     // seconds of one, all in
    double healthy = 0;  // of it, of a healthy machine
    double starved = 0;  // of it, waiting for data
    double copied = 0;   // of it, standing still for copies in memory
  };
  /// Where a segment stands after some of its time: steps, and checkpoints on the way.
  struct Progress {
    double steps = 0;            // done
    std::int64_t saves = 0;      // that ended
    double in_save = 0;          // seconds of one that has not
    double since_last_save = 0;  // seconds since the last that ended; of no meaning without one
  };
  struct Slow {
    std::int32_t kind = 0;
    double factor = 1;
    std::uint32_t id = 0;
  };

  void handle(const Event&);
  void begin_arrivals();
  void next_failure(std::int32_t cause);
  void next_slow(std::int32_t kind);
  void next_stall();

  void close();  // accounts for the activity that runs
  void close_segment(std::int64_t elapsed);
  [[nodiscard]] Progress progress(double elapsed) const;
  [[nodiscard]] double save_spacing() const;
  void enter(State, double lasts);
  void enter(State);
  void compute();  // plans the next segment, or what is due at its beginning
  bool at_boundary();
  [[nodiscard]] Pace pace() const;
  [[nodiscard]] const RunPhase& phase() const { return s_.phases[phase_]; }
  [[nodiscard]] double target() const;

  void begin_save(std::int32_t tier);
  void end_save();
  void keep(std::size_t tier, const Saved&);
  [[nodiscard]] std::optional<Saved> in_memory(std::size_t tier) const;
  void restore(double not_after, Survives at_least);
  void on_failure(std::int32_t cause);
  void interrupt(std::int32_t cause, double not_after, bool silent);
  void come_back();
  void lose_nodes(std::int64_t);
  void node_back();
  [[nodiscard]] double shrunk() const;
  [[nodiscard]] std::size_t quickest_tier() const;
  [[nodiscard]] bool short_of_nodes() const;
  void stop_for_maintenance();
  void roll_back();
  void on_noticed(const Event&);
  void save_then(After, std::int32_t cause = -1);
  void after_save();
  void give_up();
  void finish();
  void schedule(double seconds, const Event& e) {
    engine_.at(Tick{now() + ticks_of(seconds)}, Phase::finish, e);
  }
  [[nodiscard]] std::int64_t now() const { return count(engine_.now()); }

  const RunSetup& s_;
  std::uint64_t seed_;
  std::string name_;
  std::vector<RunMoment>* moments_;
  Engine<Event> engine_;
  std::vector<Arrivals> causes_, slow_kinds_;
  Source steps_, times_, repairs_, stalls_;
  const std::vector<Rollback>* rollbacks_ = nullptr;

  RunDraw out_;
  std::array<std::int64_t, kTimeUses> use_{};
  State state_ = State::restarting;
  std::int64_t began_ = 0;        // the activity
  std::uint32_t generation_ = 0;  // of the activity
  std::int32_t reason_ = -1;      // cause of the interruption that is being mended
  double error_ = 1;              // of the step's time
  double straggles_ = 1;          // the whole run, by so much

  double step_ = 0;
  Counted counted_;
  std::size_t phase_ = 0;
  // The segment that is being computed: steps, with `planned_saves_` checkpoints of tier `saves_`
  // on the way if nothing comes between.
  Pace pace_;
  double planned_steps_ = 0;
  std::int64_t planned_ticks_ = 0, planned_saves_ = 0;
  std::int32_t saves_ = -1;
  bool keep_all_ = false;   // old checkpoints may be needed
  double memory_from_ = 0;  // step since which copies in memory are made

  std::vector<Tier> tiers_;
  std::int32_t saving_ = -1;
  double load_ = 0;  // seconds, of the checkpoint to start from
  double evaluate_at_ = 0;
  std::size_t rollback_ = 0;
  struct Corruption {
    std::uint32_t id = 0;
    double step = 0;
  };
  std::vector<Corruption> corrupt_;  // that nobody knows of, and that will be noticed
  std::uint32_t corruptions_ = 0;
  // What follows the save that is being made.
  After after_ = After::training;
  std::int32_t after_cause_ = -1;
  std::int64_t without_ = 0;  // nodes that the job runs without
  std::uint64_t events_ = 0;
  std::int64_t free_ = 0, missing_ = 0;
  std::int64_t missing_since_ = 0, missing_ticks_ = 0;
  bool maintenance_due_ = false, grows_ = false;
  std::vector<Slow> slow_;
  std::uint32_t slow_ids_ = 0;
};

double error_factor(const RunSetup& s, Source& from) {
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

Run::Run(const RunSetup& setup, std::uint64_t seed, std::uint64_t draw,
         std::vector<RunMoment>* moments)
    : s_(setup),
      seed_(seed),
      name_(fmt::format("run/{}/", draw)),
      moments_(moments),
      steps_(seed, name_ + "steps"),
      times_(seed, name_ + "times"),
      repairs_(seed, name_ + "repairs"),
      stalls_(seed, name_ + "stalls") {
  Source error(seed, name_ + "error");
  error_ = error_factor(s_, error);
  if (s_.stragglers) straggles_ = s_.stragglers->slowdown(Stream(seed, name_ + "stragglers"));
  if (!s_.rollbacks.empty()) rollbacks_ = &s_.rollbacks[draw % s_.rollbacks.size()];
  tiers_.resize(s_.tiers.size());
  for (std::size_t i = 0; i < tiers_.size(); ++i) {
    tiers_[i].saved.push_back({});
    tiers_[i].due = s_.tiers[i].every_steps;
  }
  std::int32_t slow = 0;
  for (std::size_t i = 0; i < s_.tiers.size(); ++i) {
    if (!s_.tiers[i].slow) continue;
    ++slow;
    saves_ = static_cast<std::int32_t>(i);
  }
  FORERUN_ASSERT(slow > 0, "no checkpoint in storage");
  if (slow != 1) saves_ = -1;
  keep_all_ = rollbacks_ != nullptr ||
              std::ranges::any_of(s_.reliability.causes, &hw::FailureCause::silent);
  evaluate_at_ = s_.evaluation.every_steps > 0 ? s_.evaluation.every_steps
                                               : std::numeric_limits<double>::infinity();
  free_ = s_.spares;
  out_.interruptions.assign(s_.reliability.causes.size(), 0);
}

void Run::begin_arrivals() {
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
    schedule(s_.maintenance.every.base(), {Kind::maintenance});
  }
  next_stall();
}

void Run::next_failure(std::int32_t cause) {
  const double t = seconds_of(now());
  const auto next = causes_[static_cast<std::size_t>(cause)].after(t);
  if (next && *next < s_.longest.base()) schedule(*next - t, {Kind::failure, cause});
}

void Run::next_slow(std::int32_t kind) {
  const double t = seconds_of(now());
  const auto next = slow_kinds_[static_cast<std::size_t>(kind)].after(t);
  if (next && *next < s_.longest.base()) schedule(*next - t, {Kind::slow_begin, kind});
}

void Run::next_stall() {
  if (s_.stalls_per_second > 0) {
    schedule(stalls_.exponential() / s_.stalls_per_second, {Kind::stall});
  }
}

void Run::close() {
  const std::int64_t elapsed = now() - began_;
  const double from = step_;
  TimeUse use = TimeUse::training;
  switch (state_) {
    case State::computing:
      close_segment(elapsed);
      break;
    case State::saving:
      use = TimeUse::checkpoint;
      break;
    case State::evaluating:
      use = TimeUse::evaluation;
      break;
    case State::stalled:
      counted_.starved += elapsed;
      use = TimeUse::starved;
      break;
    case State::dead:
      use = TimeUse::detection;
      break;
    case State::restarting:
      use = TimeUse::restart;
      break;
    case State::waiting:
      use = TimeUse::waiting;
      break;
    case State::maintaining:
      use = TimeUse::maintenance;
      break;
    case State::done:
      return;
  }
  if (state_ != State::computing && state_ != State::stalled) {
    use_[static_cast<std::size_t>(use)] += elapsed;
  }
  if (moments_ != nullptr && elapsed > 0) {
    moments_->push_back({use, Seconds(seconds_of(began_)), Seconds(seconds_of(now())), from, step_,
                         is_up(state_) ? -1 : reason_});
  }
  began_ = now();
}

/// Seconds from the end of one save to the end of the next.
double Run::save_spacing() const {
  const TierTimes& t = s_.tiers[static_cast<std::size_t>(saves_)];
  return t.blocked.base() + t.every_steps * pace_.step;
}

Run::Progress Run::progress(double elapsed) const {
  Progress p;
  const double whole = planned_steps_ * pace_.step;
  if (planned_saves_ == 0) {
    p.steps = whole > 0 ? planned_steps_ * std::min(1.0, elapsed / whole) : 0;
    return p;
  }
  const TierTimes& t = s_.tiers[static_cast<std::size_t>(saves_)];
  const double blocked = t.blocked.base();
  const double to_first = tiers_[static_cast<std::size_t>(saves_)].due - step_;
  const double first_ends = to_first * pace_.step + blocked;
  if (elapsed < first_ends) {
    p.steps = std::min(to_first, elapsed / pace_.step);
    p.in_save = std::max(0.0, elapsed - to_first * pace_.step);
    return p;
  }
  const double spacing = save_spacing();
  double ended = std::floor((elapsed - first_ends) / spacing);
  ended = std::min(ended, static_cast<double>(planned_saves_ - 1));
  p.saves = static_cast<std::int64_t>(ended) + 1;
  p.since_last_save = elapsed - first_ends - ended * spacing;
  const double after = p.since_last_save / pace_.step;
  const double done = to_first + ended * t.every_steps;
  const bool next_planned = p.saves < planned_saves_;
  p.steps =
      std::min(planned_steps_, done + (next_planned ? std::min(t.every_steps, after) : after));
  if (next_planned) p.in_save = std::max(0.0, p.since_last_save - t.every_steps * pace_.step);
  return p;
}

/// Accounts for the steps and the checkpoints of a segment of which so much has passed.
void Run::close_segment(std::int64_t elapsed) {
  if (elapsed == 0 && planned_ticks_ > 0) return;
  const bool all = elapsed == planned_ticks_;
  Progress p = progress(seconds_of(elapsed));
  if (all) {
    p.steps = planned_steps_;
    p.saves = planned_saves_;
    p.in_save = 0;
  }
  const double blocked =
      saves_ >= 0 ? s_.tiers[static_cast<std::size_t>(saves_)].blocked.base() : 0.0;
  const std::int64_t saving =
      std::min(elapsed, ticks_of(static_cast<double>(p.saves) * blocked + p.in_save));
  const std::int64_t copying = std::min(elapsed - saving, ticks_of(p.steps * pace_.copied));
  use_[static_cast<std::size_t>(TimeUse::checkpoint)] += saving + copying;
  const std::int64_t computed = elapsed - saving - copying;
  const Counted before = counted_;
  Counted c;
  c.training = std::min(computed, ticks_of(p.steps * pace_.healthy));
  c.starved = std::min(computed - c.training, ticks_of(p.steps * pace_.starved));
  // What rounding leaves of a pace that is nothing but the healthy one is no slowdown.
  const std::int64_t rest = computed - c.training - c.starved;
  const bool slowed = pace_.step - pace_.copied > (pace_.healthy + pace_.starved) * (1 + 1e-12);
  (slowed ? c.slowdown : c.training) += rest;
  counted_.training += c.training;
  counted_.slowdown += c.slowdown;
  counted_.starved += c.starved;
  out_.computing += Seconds(seconds_of(computed - c.starved));
  const double from = step_;
  step_ = from + p.steps;
  if (p.saves == 0) return;

  // The checkpoints on the way: those that were written count, the last may still be written.
  const auto i = static_cast<std::size_t>(saves_);
  Tier& t = tiers_[i];
  const TierTimes& times = s_.tiers[i];
  const auto state_at = [&](double step) {
    const double share = p.steps > 0 ? (step - from) / p.steps : 0;
    const auto part = [share](std::int64_t ticks) {
      return static_cast<std::int64_t>(std::llround(share * static_cast<double>(ticks)));
    };
    return Saved{step,
                 {before.training + part(c.training), before.slowdown + part(c.slowdown),
                  before.starved + part(c.starved)}};
  };
  const double first = t.due;
  const bool last_written = p.since_last_save >= times.behind.base();
  const std::int64_t written = p.saves - (last_written ? 0 : 1);
  for (std::int64_t k = keep_all_ ? 0 : std::max<std::int64_t>(0, written - 1); k < written; ++k) {
    keep(i, state_at(first + static_cast<double>(k) * times.every_steps));
  }
  if (!keep_all_ && written > 1) out_.checkpoints += written - 1;
  t.due = first + static_cast<double>(p.saves) * times.every_steps;
  if (!last_written) {
    t.writing = true;
    t.pending = state_at(t.due - times.every_steps);
    ++t.generation;
    schedule(times.behind.base() - p.since_last_save, {Kind::written, saves_, t.generation});
  }
}

void Run::enter(State state) {
  close();
  state_ = state;
  ++generation_;
}

void Run::enter(State state, double lasts) {
  enter(state);
  schedule(lasts, {Kind::activity, 0, generation_});
}

double Run::shrunk() const {
  if (without_ == 0) return 1;
  const double share = static_cast<double>(s_.replicas) / static_cast<double>(s_.nodes);
  const double lost = std::ceil(static_cast<double>(without_) * share);
  const double left = static_cast<double>(s_.replicas) - lost;
  const double fill = s_.stages - 1;
  return (std::ceil(s_.micro_batches * static_cast<double>(s_.replicas) / left) + fill) /
         (s_.micro_batches + fill);
}

bool Run::short_of_nodes() const {
  if (missing_ == 0) return false;
  if (s_.when_short == WhenShort::wait) return true;
  const double share = static_cast<double>(s_.replicas) / static_cast<double>(s_.nodes);
  return std::ceil(static_cast<double>(missing_) * share) >= static_cast<double>(s_.replicas);
}

Run::Pace Run::pace() const {
  const RunPhase& p = phase();
  Pace out;
  out.healthy = p.step.base() * error_;
  double slow = 1;
  for (const Slow& one : slow_) slow = std::max(slow, one.factor);
  double heat = 1;
  if (s_.diurnal > 0) {
    const double hour = seconds_of(now()) / (1.0_days).base();
    heat += s_.diurnal * (1 - std::cos(2 * std::numbers::pi * hour)) / 2;
  }
  const double machine = out.healthy * straggles_ * slow * heat * shrunk();
  out.starved = std::max(0.0, p.data.base() - machine);
  for (const TierTimes& t : s_.tiers) {
    if (!t.slow) out.copied += t.blocked.base() / t.every_steps;
  }
  out.step = machine + out.starved + out.copied;
  return out;
}

double Run::target() const {
  double to = s_.steps;
  if (phase_ + 1 < s_.phases.size()) to = std::min(to, s_.phases[phase_ + 1].from_step);
  for (std::size_t i = 0; i < tiers_.size(); ++i) {
    const bool on_the_way = static_cast<std::int32_t>(i) == saves_ && planned_saves_ > 0;
    if (s_.tiers[i].slow && !tiers_[i].writing && !on_the_way) to = std::min(to, tiers_[i].due);
  }
  to = std::min(to, evaluate_at_);
  if (rollbacks_ != nullptr && rollback_ < rollbacks_->size()) {
    to = std::min(to, (*rollbacks_)[rollback_].at);
  }
  return to;
}

/// Does what is due at this step; false if nothing is, and steps may be computed.
bool Run::at_boundary() {
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
    stop_for_maintenance();
    return true;
  }
  if (grows_ && missing_ == 0) {
    save_then(After::growth);
    return true;
  }
  for (std::size_t i = 0; i < tiers_.size(); ++i) {
    if (s_.tiers[i].slow && !tiers_[i].writing && step_ >= tiers_[i].due) {
      begin_save(static_cast<std::int32_t>(i));
      return true;
    }
  }
  if (step_ >= evaluate_at_) {
    evaluate_at_ += s_.evaluation.every_steps;
    enter(State::evaluating, s_.evaluation.lasts.base());
    return true;
  }
  return false;
}

void Run::compute() {
  close();
  while (phase_ + 1 < s_.phases.size() && step_ >= s_.phases[phase_ + 1].from_step) ++phase_;
  while (phase_ > 0 && step_ < s_.phases[phase_].from_step) --phase_;
  if (at_boundary()) return;
  enter(State::computing);
  pace_ = pace();
  // Checkpoints need no events of their own where one is written long before the next.
  const bool on_the_way =
      saves_ >= 0 && !tiers_[static_cast<std::size_t>(saves_)].writing &&
      s_.tiers[static_cast<std::size_t>(saves_)].behind.base() <
          0.5 * s_.tiers[static_cast<std::size_t>(saves_)].every_steps * pace_.step;
  planned_saves_ = on_the_way ? 1 : 0;
  planned_steps_ = target() - step_;
  if (s_.diurnal > 0) {
    planned_steps_ = std::min(planned_steps_, std::max(1.0, (1.0_h).base() / pace_.step));
  }
  if (on_the_way) {
    const double due = tiers_[static_cast<std::size_t>(saves_)].due;
    const double every = s_.tiers[static_cast<std::size_t>(saves_)].every_steps;
    // One that is due at the segment's end has its own event.
    const double count = std::ceil((step_ + planned_steps_ - due) / every);
    planned_saves_ = static_cast<std::int64_t>(std::max(0.0, count));
  }
  double jitter = 1;
  if (s_.step_jitter > 0) {
    const double spread = s_.step_jitter / std::sqrt(std::max(1.0, planned_steps_));
    jitter = std::max(0.1, 1 + spread * steps_.normal());
  }
  pace_.healthy *= jitter;
  pace_.step *= jitter;
  pace_.starved *= jitter;
  const double blocked =
      saves_ >= 0 ? s_.tiers[static_cast<std::size_t>(saves_)].blocked.base() : 0.0;
  planned_ticks_ =
      ticks_of(planned_steps_ * pace_.step + static_cast<double>(planned_saves_) * blocked);
  schedule(seconds_of(planned_ticks_), {Kind::boundary, 0, generation_});
}

void Run::keep(std::size_t tier, const Saved& saved) {
  Tier& t = tiers_[tier];
  if (!t.saved.empty() && t.saved.back().step == saved.step) t.saved.pop_back();
  if (!keep_all_) t.saved.clear();
  t.saved.push_back(saved);
  ++out_.checkpoints;
}

void Run::begin_save(std::int32_t tier) {
  saving_ = tier;
  enter(State::saving, s_.tiers[static_cast<std::size_t>(tier)].blocked.base());
}

void Run::end_save() {
  const auto i = static_cast<std::size_t>(saving_);
  Tier& t = tiers_[i];
  t.due = step_ + s_.tiers[i].every_steps;
  if (s_.tiers[i].behind.base() > 0) {
    t.writing = true;
    t.pending = {step_, counted_};
    ++t.generation;
    schedule(s_.tiers[i].behind.base(), {Kind::written, saving_, t.generation});
  } else {
    keep(i, {step_, counted_});
  }
  saving_ = -1;
}

/// The last copy in memory: what has been copied long enough ago to be where it must be.
std::optional<Saved> Run::in_memory(std::size_t tier) const {
  const TierTimes& t = s_.tiers[tier];
  if (!(pace_.step > 0)) return std::nullopt;
  const double reached = step_ - t.behind.base() / pace_.step;
  const double step =
      memory_from_ + std::floor((reached - memory_from_) / t.every_steps) * t.every_steps;
  if (step <= memory_from_) {
    // Nothing newer than what the job came back to, which is still there if it was in memory.
    const std::vector<Saved>& held = tiers_[tier].saved;
    return held.empty() ? std::nullopt : std::optional(held.back());
  }
  const auto back = [&](std::int64_t counted, double a_step) {
    return std::max<std::int64_t>(0, counted - ticks_of((step_ - step) * a_step));
  };
  const double slowdown = pace_.step - pace_.copied - pace_.healthy - pace_.starved;
  return Saved{
      step,
      {back(counted_.training, pace_.healthy), back(counted_.slowdown, std::max(0.0, slowdown)),
       back(counted_.starved, pace_.starved)}};
}

/// Back to the newest state at or before `not_after` on a tier that survives `at_least`.
void Run::restore(double not_after, Survives at_least) {
  std::optional<Saved> newest;
  std::size_t from = 0;
  const auto offer = [&](std::size_t tier, const Saved& saved) {
    // Of two at one step the faster tier is read.
    if (newest && (saved.step < newest->step ||
                   (saved.step == newest->step && s_.tiers[tier].load >= s_.tiers[from].load))) {
      return;
    }
    newest = saved;
    from = tier;
  };
  for (std::size_t i = 0; i < tiers_.size(); ++i) {
    Tier& t = tiers_[i];
    t.writing = false;
    ++t.generation;
    if (s_.tiers[i].survives < at_least) {
      t.saved.clear();
      continue;
    }
    if (!s_.tiers[i].slow) {
      const std::optional<Saved> copy = in_memory(i);
      if (copy && copy->step <= not_after) offer(i, *copy);
      continue;
    }
    for (auto at = t.saved.rbegin(); at != t.saved.rend(); ++at) {
      if (at->step > not_after) continue;
      offer(i, *at);
      break;
    }
  }
  const Saved back = newest.value_or(Saved{});
  memory_from_ = back.step;
  load_ = back.step > 0 ? s_.tiers[from].load.base() : 0.0;
  out_.steps_lost += step_ - back.step;
  use_[static_cast<std::size_t>(TimeUse::redone)] += counted_.sum() - back.counted.sum();
  step_ = back.step;
  counted_ = back.counted;
  for (std::size_t i = 0; i < tiers_.size(); ++i) {
    std::vector<Saved>& saved = tiers_[i].saved;
    if (!s_.tiers[i].slow && s_.tiers[i].survives >= at_least) saved = {back};
    while (!saved.empty() && saved.back().step > step_) saved.pop_back();
    tiers_[i].due = step_ + s_.tiers[i].every_steps;
  }
  if (s_.evaluation.every_steps > 0) {
    evaluate_at_ = (std::floor(step_ / s_.evaluation.every_steps) + 1) * s_.evaluation.every_steps;
  }
  std::erase_if(corrupt_, [this](const Corruption& c) { return c.step >= step_; });
}

void Run::lose_nodes(std::int64_t lost) {
  for (std::int64_t i = 0; i < lost; ++i) {
    if (free_ > 0) {
      --free_;
      ++out_.nodes_replaced;
    } else {
      if (missing_ == 0) missing_since_ = now();
      // More than the job has cannot be lost.
      if (missing_ == s_.nodes) break;
      missing_ticks_ += missing_ * (now() - missing_since_);
      missing_since_ = now();
      ++missing_;
    }
    schedule(s_.replacement.at(repairs_.uniform()), {Kind::node_back});
  }
}

void Run::node_back() {
  if (missing_ == 0) {
    ++free_;
    return;
  }
  missing_ticks_ += missing_ * (now() - missing_since_);
  missing_since_ = now();
  --missing_;
  ++out_.nodes_replaced;
  if (state_ == State::waiting) {
    if (!short_of_nodes()) come_back();
  } else if (missing_ == 0 && is_up(state_)) {
    grows_ = true;
  }
}

/// From wherever the job stands to its restart, or to waiting for nodes.
void Run::come_back() {
  if (short_of_nodes()) {
    enter(State::waiting);
    return;
  }
  grows_ = false;
  without_ = missing_;
  enter(State::restarting, s_.restart.at(times_.uniform()) + load_);
}

/// Of those in storage, where a state is safe first.
std::size_t Run::quickest_tier() const {
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
void Run::save_then(After what, std::int32_t cause) {
  const std::size_t tier = quickest_tier();
  after_ = what;
  after_cause_ = cause;
  saving_ = static_cast<std::int32_t>(tier);
  const TierTimes& t = s_.tiers[tier];
  enter(State::saving, (t.blocked + t.behind).base());
}

void Run::after_save() {
  keep(static_cast<std::size_t>(saving_), {step_, counted_});
  saving_ = -1;
  const After what = std::exchange(after_, After::training);
  reason_ = after_cause_;
  restore(step_, Survives::all);
  switch (what) {
    case After::stop: {
      const auto cause = static_cast<std::size_t>(after_cause_);
      ++out_.interruptions[cause];
      lose_nodes(s_.reliability.causes[cause].nodes);
      come_back();
      return;
    }
    case After::maintenance:
      enter(State::maintaining, s_.maintenance.lasts.at(times_.uniform()));
      return;
    case After::exchange:
      lose_nodes(1);
      come_back();
      return;
    case After::growth:
    case After::training:
      come_back();
      return;
  }
}

void Run::interrupt(std::int32_t cause, double not_after, bool silent) {
  const hw::FailureCause& c = s_.reliability.causes[static_cast<std::size_t>(cause)];
  close();
  if (after_ == After::maintenance) maintenance_due_ = true;
  after_ = After::training;
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
    enter(State::dead, s_.detection.at(times_.uniform()));
  }
}

void Run::on_failure(std::int32_t cause) {
  const auto i = static_cast<std::size_t>(cause);
  const hw::FailureCause& c = s_.reliability.causes[i];
  next_failure(cause);
  // Nodes that are away do not fail.
  if (missing_ > 0 &&
      causes_[i].uniform() * static_cast<double>(s_.nodes) < static_cast<double>(missing_)) {
    return;
  }
  if (c.silent) {
    if (!is_up(state_)) return;
    const double step = std::floor(
        step_ + (state_ == State::computing ? progress(seconds_of(now() - began_)).steps : 0.0));
    const bool seen = causes_[i].uniform() < c.noticed;
    const double after = c.unnoticed_for.at(causes_[i].uniform());
    if (!seen) return;
    corrupt_.push_back({++corruptions_, step});
    schedule(after, {Kind::noticed, cause, corruptions_});
    return;
  }
  if (!is_up(state_) && state_ != State::restarting) {
    // The job is down already: one node more to replace.
    lose_nodes(c.nodes);
    return;
  }
  if (state_ == State::restarting && c.nodes == 0) return;
  const TierTimes& quickest = s_.tiers[quickest_tier()];
  const bool told =
      c.planned || (c.notice.base() > 0 && c.notice >= quickest.blocked + quickest.behind);
  if (told && is_up(state_) && after_ == After::training) {
    save_then(After::stop, cause);
    return;
  }
  interrupt(cause, std::numeric_limits<double>::infinity(), false);
}

void Run::on_noticed(const Event& e) {
  const auto found = std::ranges::find(corrupt_, e.generation, &Corruption::id);
  if (found == corrupt_.end()) return;  // undone by another fall-back
  if (!is_up(state_) && state_ != State::restarting) {
    // The job is down: it will start from before the corruption.
    const double step = found->step;
    close();
    restore(step, Survives::all);
    return;
  }
  interrupt(e.index, found->step, true);
}

void Run::roll_back() {
  const Rollback& r = (*rollbacks_)[rollback_++];
  close();
  ++out_.rollbacks;
  reason_ = -1;
  restore(r.to, Survives::process);
  come_back();
}

void Run::stop_for_maintenance() {
  maintenance_due_ = false;
  save_then(After::maintenance);
}

void Run::finish() {
  enter(State::done);
  out_.finished = true;
}

void Run::give_up() { enter(State::done); }

void Run::handle(const Event& e) {
  if (state_ == State::done) return;
  if (++events_ > kMostEvents) {
    give_up();
    return;
  }
  switch (e.kind) {
    case Kind::give_up:
      give_up();
      return;
    case Kind::boundary:
      if (e.generation == generation_) {
        close();
        planned_steps_ = 0;  // done, and accounted for
        planned_ticks_ = planned_saves_ = 0;
        compute();
      }
      return;
    case Kind::activity:
      if (e.generation != generation_) return;
      if (state_ == State::saving && after_ != After::training) {
        after_save();
        return;
      }
      if (state_ == State::saving) end_save();
      if (state_ == State::dead || state_ == State::maintaining) {
        come_back();
      } else {
        compute();
      }
      return;
    case Kind::written: {
      Tier& t = tiers_[static_cast<std::size_t>(e.index)];
      if (e.generation != t.generation || !t.writing) return;
      t.writing = false;
      keep(static_cast<std::size_t>(e.index), t.pending);
      // The next one may have been waiting for it.
      if (state_ == State::computing) compute();
      return;
    }
    case Kind::failure:
      on_failure(e.index);
      return;
    case Kind::noticed:
      on_noticed(e);
      return;
    case Kind::slow_begin: {
      const auto i = static_cast<std::size_t>(e.index);
      const hw::SlowNodes& slow = s_.reliability.slow[i];
      slow_.push_back({e.index, slow.slowdown.at(slow_kinds_[i].uniform()), ++slow_ids_});
      schedule(slow.lasts.at(slow_kinds_[i].uniform()), {Kind::slow_end, e.index, slow_ids_});
      next_slow(e.index);
      if (state_ == State::computing) compute();
      return;
    }
    case Kind::slow_end: {
      std::erase_if(slow_, [&](const Slow& s) { return s.id == e.generation; });
      if (s_.reliability.slow[static_cast<std::size_t>(e.index)].exchanged && is_up(state_)) {
        if (after_ == After::training) save_then(After::exchange);
      } else if (state_ == State::computing) {
        compute();
      }
      return;
    }
    case Kind::node_back:
      node_back();
      return;
    case Kind::maintenance:
      schedule(s_.maintenance.every.base(), e);
      maintenance_due_ = true;
      if (state_ == State::computing) compute();
      return;
    case Kind::stall:
      next_stall();
      if (state_ == State::computing) enter(State::stalled, s_.stall.at(stalls_.uniform()));
      return;
  }
}

RunDraw Run::simulate() {
  begin_arrivals();
  schedule(s_.longest.base(), {Kind::give_up});
  out_.finished = false;
  state_ = State::restarting;  // for what is accounted before the first step: nothing
  compute();
  engine_.run([this](const Event& e) { handle(e); });
  // The end of the last activity, which later events of the queue do not move.
  use_[static_cast<std::size_t>(TimeUse::training)] += counted_.training;
  use_[static_cast<std::size_t>(TimeUse::slowdown)] += counted_.slowdown;
  use_[static_cast<std::size_t>(TimeUse::starved)] += counted_.starved;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < kTimeUses; ++i) {
    sum += use_[i];
    out_.use[i] = Seconds(seconds_of(use_[i]));
  }
  FORERUN_ASSERT(sum == began_, fmt::format("{} ticks accounted of {}", sum, began_));
  out_.duration = Seconds(seconds_of(began_));
  out_.steps_done = step_;
  if (missing_ > 0) missing_ticks_ += missing_ * std::max<std::int64_t>(0, began_ - missing_since_);
  out_.node_time = static_cast<double>(s_.nodes + s_.spares) * out_.duration;
  out_.job_node_time =
      static_cast<double>(s_.nodes) * out_.duration - Seconds(seconds_of(missing_ticks_));
  return out_;
}

}  // namespace

RunDraw simulate_run_in_time(const RunSetup& setup, std::uint64_t seed, std::uint64_t draw,
                             std::vector<RunMoment>* moments) {
  return Run(setup, seed, draw, moments).simulate();
}

}  // namespace forerun::sim
