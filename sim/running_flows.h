#pragma once

/// The flows of a program that run now: their shares of links, and when each will have sent its
/// last byte. Private to sim/.
///
/// A slot holds one flow: each stream of each rank has one. Work is counted in ticks at the flow's
/// own rate, so that an exchange that nothing slows ends when its duration says, to the tick.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/shared_links.h"

namespace forerun::sim {

class RunningFlows {
 public:
  RunningFlows(const SharedLinks&, std::size_t slots);

  /// A flow begins with `work` ticks to do; the shares change with the next share().
  void start(std::size_t slot, std::int32_t flow, std::int64_t work, std::int64_t now);
  /// It has sent all.
  void stop(std::size_t slot);
  /// Shares links anew; calls dated(slot, tick) for every flow whose last byte leaves at another
  /// time than was said before.
  template <class Dated>
  void share(std::int64_t now, Dated&& dated) {
    for (const hw::MaxMin::Flow f : solver_.solve()) {
      const std::int32_t slot = slot_of_[static_cast<std::size_t>(f)];
      if (slot < 0) continue;  // another job's
      if (redate(slots_[static_cast<std::size_t>(slot)], now)) {
        dated(static_cast<std::size_t>(slot), slots_[static_cast<std::size_t>(slot)].sent);
      }
    }
  }
  /// Whether the flow of `slot` runs and has sent its last byte at `now`.
  [[nodiscard]] bool has_sent(std::size_t slot, std::int64_t now) const {
    return slots_[slot].solver >= 0 && slots_[slot].sent == now;
  }

 private:
  struct Slot {
    hw::MaxMin::Flow solver = -1;
    std::int64_t since = 0, sent = -1;
    double left = 0;   ///< ticks of work since `since`
    double speed = 0;  ///< ticks of work a tick
    double rate = 0;   ///< the flow's own
  };
  [[nodiscard]] bool redate(Slot&, std::int64_t now) const;
  void enter(hw::MaxMin::Flow, std::int32_t slot);
  [[nodiscard]] hw::MaxMin::Flow add(const SharedFlow&, std::int32_t own_link);

  const SharedLinks& links_;
  hw::MaxMin solver_;
  std::vector<Slot> slots_;
  std::vector<std::int32_t> slot_of_;  ///< by solver's flow
};

}  // namespace forerun::sim
