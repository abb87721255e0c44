#include "hw/flow_simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <queue>
#include <tuple>

#include "core/error.h"

namespace forerun::hw {
namespace {

constexpr double kTicksPerSecond = 1e12;
constexpr double kMostTicks = 100.0 * 86400.0 * kTicksPerSecond;  // in 63 bits with room

enum class Happens : std::uint8_t { sent, arrives, starts };

struct Event {
  std::int64_t tick = 0;
  Happens what = Happens::starts;
  std::int32_t transfer = 0;
  std::int32_t version = 0;  // of a date that may have been replaced
  auto operator<=>(const Event&) const = default;
};

std::int64_t ticks_of(Seconds s) {
  const double ticks = std::ceil(s.base() * kTicksPerSecond);
  if (!(ticks <= kMostTicks)) {
    throw Error(ExitCode::wrong, fmt::format("a transfer takes {:.3g} days", s.base() / 86400),
                "the longest that is simulated is 100 days");
  }
  return static_cast<std::int64_t>(ticks);
}

Seconds seconds_of(std::int64_t ticks) {
  return Seconds(static_cast<double>(ticks) / kTicksPerSecond);
}

class Simulation {
 public:
  Simulation(const NetworkGraph& graph, const std::vector<Transfer>& transfers)
      : transfers_(transfers), solver_(capacities(graph)), state_(transfers.size()) {
    run_.transfers.resize(transfers.size());
    for (std::size_t i = 0; i < transfers.size(); ++i) {
      for (const bool arrived : {true, false}) {
        for (const std::int32_t before : arrived ? transfers[i].after : transfers[i].behind) {
          FORERUN_ASSERT(before >= 0 && static_cast<std::size_t>(before) < transfers.size(),
                         fmt::format("transfer {} waits for {}", i, before));
          State& s = state_[static_cast<std::size_t>(before)];
          (arrived ? s.wait_arrival : s.wait_sent).push_back(static_cast<std::int32_t>(i));
          ++state_[i].waits;
        }
      }
    }
  }

  FlowRun run() {
    for (std::size_t i = 0; i < transfers_.size(); ++i) {
      if (state_[i].waits == 0) release(static_cast<std::int32_t>(i));
    }
    while (!events_.empty()) {
      const Event e = events_.top();
      if (e.tick > now_) share();
      // What share() dated may come before.
      const Event next = events_.top();
      events_.pop();
      now_ = next.tick;
      handle(next);
      if (events_.empty()) share();
    }
    FORERUN_ASSERT(done_ == transfers_.size(),
                   fmt::format("{} of {} transfers wait in a circle", transfers_.size() - done_,
                               transfers_.size()));
    run_.solves = solver_.solves();
    run_.flows_solved = solver_.flows_solved();
    run_.uses_solved = solver_.uses_solved();
    return std::move(run_);
  }

 private:
  struct State {
    std::vector<std::int32_t> wait_arrival, wait_sent;
    std::int32_t waits = 0, version = 0;
    MaxMin::Flow flow = -1;
    double left = 0, rate = 0;  // bytes, bytes a second since `since`
    std::int64_t since = 0;
  };

  static std::vector<double> capacities(const NetworkGraph& graph) {
    std::vector<double> all;
    for (const NetworkLink& l : graph.links()) all.push_back(l.bandwidth.base());
    return all;
  }

  State& state(std::int32_t t) { return state_[static_cast<std::size_t>(t)]; }
  const Transfer& transfer(std::int32_t t) { return transfers_[static_cast<std::size_t>(t)]; }
  TransferTimes& times(std::int32_t t) { return run_.transfers[static_cast<std::size_t>(t)]; }

  void release(std::int32_t t) {
    events_.push({std::max(now_, ticks_of(transfer(t).start)), Happens::starts, t, 0});
  }

  void notify(const std::vector<std::int32_t>& waiting) {
    for (const std::int32_t t : waiting) {
      if (--state(t).waits == 0) release(t);
    }
  }

  void handle(const Event& e) {
    State& s = state(e.transfer);
    if (e.what == Happens::sent && e.version != s.version) return;
    ++run_.events;
    switch (e.what) {
      case Happens::starts:
        times(e.transfer).start = seconds_of(now_);
        if (transfer(e.transfer).uses.empty() || !(transfer(e.transfer).bytes.base() > 0)) {
          events_.push({now_, Happens::sent, e.transfer, s.version});
          break;
        }
        s.flow = solver_.add(transfer(e.transfer).uses);
        s.left = transfer(e.transfer).bytes.base();
        s.since = now_;
        if (owner_.size() <= static_cast<std::size_t>(s.flow)) {
          owner_.resize(static_cast<std::size_t>(s.flow) + 1);
        }
        owner_[static_cast<std::size_t>(s.flow)] = e.transfer;
        break;
      case Happens::sent:
        times(e.transfer).sent = seconds_of(now_);
        if (s.flow >= 0) solver_.remove(s.flow);
        s.flow = -1;
        events_.push(
            {now_ + ticks_of(transfer(e.transfer).latency), Happens::arrives, e.transfer, 0});
        notify(s.wait_sent);
        break;
      case Happens::arrives:
        times(e.transfer).end = seconds_of(now_);
        run_.end = std::max(run_.end, seconds_of(now_));
        ++done_;
        notify(s.wait_arrival);
        break;
    }
  }

  /// New rates, and new dates for what they change.
  void share() {
    for (const MaxMin::Flow f : solver_.solve()) {
      const std::int32_t t = owner_[static_cast<std::size_t>(f)];
      State& s = state(t);
      const double passed = seconds_of(now_ - s.since).base();
      s.left = std::max(0.0, s.left - s.rate * passed);
      s.rate = solver_.rate(f);
      s.since = now_;
      events_.push({now_ + ticks_of(Seconds(s.left / s.rate)), Happens::sent, t, ++s.version});
    }
  }

  const std::vector<Transfer>& transfers_;
  MaxMin solver_;
  std::vector<State> state_;
  std::vector<std::int32_t> owner_;  // the transfer of a solver's flow
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::int64_t now_ = 0;
  std::size_t done_ = 0;
  FlowRun run_;
};

}  // namespace

FlowRun simulate_flows(const NetworkGraph& graph, const std::vector<Transfer>& transfers) {
  return Simulation(graph, transfers).run();
}

std::vector<LinkUse> merged(std::vector<LinkUse> uses) {
  std::sort(uses.begin(), uses.end(), [](const LinkUse& a, const LinkUse& b) {
    return std::tie(a.link, a.share) < std::tie(b.link, b.share);
  });
  std::size_t last = 0;
  for (std::size_t i = 1; i < uses.size(); ++i) {
    if (uses[i].link == uses[last].link) {
      uses[last].share += uses[i].share;
    } else {
      uses[++last] = uses[i];
    }
  }
  if (!uses.empty()) uses.resize(last + 1);
  return uses;
}

}  // namespace forerun::hw
