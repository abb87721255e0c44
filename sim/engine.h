#pragma once

/// The event engine. Time is an integer number of ticks; in a step a tick is a picosecond, so sums
/// are exact and independent of order, and 63 bits reach 106 days. Events run in the order of
/// (tick, phase, order of scheduling): first in, first out at one tick and phase.
///
/// An event is a value of type `Event` (small, trivially copyable), handled by the function given to
/// run(): no allocation and no virtual call per event. Scheduling in the past is our bug, asserted.

#include <cstdint>
#include <vector>

#include "core/quantity.h"

namespace forerun::sim {

enum class Tick : std::int64_t {};

/// Order of events at one tick.
enum class Phase : std::uint8_t {
  finish,   ///< work completes and frees what it held
  start,    ///< work that was waiting for it begins
  observe,  ///< statistics see the state after both
};

inline constexpr double kTicksPerSecond = 1e12;
/// Seconds to ticks, rounded up: work ends no earlier than it does.
[[nodiscard]] Tick to_ticks(Seconds);
[[nodiscard]] Seconds to_seconds(Tick);
[[nodiscard]] constexpr std::int64_t count(Tick t) { return static_cast<std::int64_t>(t); }

/// A queue of events in an implicit 4-ary heap.
template <class Event>
class Engine {
 public:
  void at(Tick when, Phase phase, const Event& event);
  [[nodiscard]] Tick now() const { return now_; }
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  /// Runs events until none is left, or the next one is later than `until`; returns how many ran.
  /// `handle(event)` may schedule more.
  template <class Handler>
  std::uint64_t run(Handler&& handle, Tick until = Tick{INT64_MAX});

 private:
  struct Entry {
    std::int64_t tick;
    std::uint64_t order;  // phase in the top bits, then order of scheduling
    Event event;
  };
  static bool before(const Entry& a, const Entry& b) {
    return a.tick != b.tick ? a.tick < b.tick : a.order < b.order;
  }
  void sift_down();

  std::vector<Entry> heap_;
  Tick now_{0};
  std::uint64_t scheduled_ = 0;
};

}  // namespace forerun::sim

#include "sim/engine.inl"  // IWYU pragma: keep
