#pragma once

/// The event engine. Time is an integer number of ticks; in a step a tick is a picosecond, so sums
/// are exact and independent of order, and 63 bits reach 106 days. Events run in the order of
/// (tick, phase, order of scheduling): first in, first out at one tick and phase.
///
/// An event is a value of type `Event` (small, trivially copyable), handled by the function given
/// to run(): no allocation and no virtual call per event. Scheduling in the past is our bug,
/// asserted.
///
/// The queue is an implicit 4-ary heap (LaMarca and Ladner 1996: four children share a cache line
/// or two, and the tree is half as deep as a binary one). An event that is being handled leaves a
/// hole at the root; the first event that its handler schedules falls into that hole, so the usual
/// "one ends, the next begins" costs one descent instead of a descent and an ascent.

#include <cstdint>
#include <type_traits>
#include <vector>

#include "core/error.h"
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
/// No kernel, exchange or overhead takes longer: what does comes from input that nobody meant.
inline constexpr Seconds kLongestOperation{3600.0};
/// Times that are added up stay below half of what 63 bits hold, 53 days.
inline constexpr double kMostTicks = 0x1p62;
/// Seconds to ticks, rounded up: work ends no earlier than it does. Throws Error for a time over
/// kLongestOperation; asserts a number that is not negative.
[[nodiscard]] Tick to_ticks(Seconds);
/// Throws Error unless `ticks`, a sum that no time will exceed, is below kMostTicks.
void check_length(double ticks);
[[nodiscard]] Seconds to_seconds(Tick);
[[nodiscard]] constexpr std::int64_t count(Tick t) { return static_cast<std::int64_t>(t); }

template <class Event>
class Engine {
  static_assert(std::is_trivially_copyable_v<Event>);

 public:
  /// Schedules `event`; `when` is not before now().
  void at(Tick when, Phase phase, const Event& event);
  /// The tick of the last event that ran, or zero.
  [[nodiscard]] Tick now() const { return now_; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// Events scheduled that have not begun to run.
  [[nodiscard]] std::size_t size() const { return heap_.size() - (hole_ ? 1 : 0); }
  void reserve(std::size_t events) { heap_.reserve(events + 1); }
  /// Runs events until none is left, or the next one is later than `until`; returns how many ran.
  /// `handle(event)` may schedule more, but may not call run().
  template <class Handler>
  std::uint64_t run(Handler&& handle, Tick until = Tick{INT64_MAX});

 private:
  struct Entry {
    std::int64_t tick;
    std::uint64_t order;  // phase in the top two bits, then order of scheduling
    Event event;
  };
  static bool before(const Entry& a, const Entry& b) {
    // Without a branch on equal ticks: the outcome of each comparison in a heap is a coin toss.
    return (a.tick < b.tick) | ((a.tick == b.tick) & (a.order < b.order));
  }
  void sift_up(const Entry& entry);
  void sift_down(const Entry& entry);

  std::vector<Entry> heap_;
  Tick now_{0};
  std::uint64_t scheduled_ = 0;
  bool hole_ = false;  // heap_[0] is the event being handled
};

}  // namespace forerun::sim

#include "sim/engine.inl"  // IWYU pragma: keep
