#pragma once

/// A stretch of steps at one pace, with the checkpoints on its way: where it stands after some of
/// its time. Pure arithmetic, so that checkpoints need no events of their own.

#include <cstdint>

namespace forerun::sim {

struct Pace {
  double step = 0;     ///< seconds of one, all in
  double healthy = 0;  ///< of it, of a healthy machine
  double starved = 0;  ///< of it, waiting for data
  double copied = 0;   ///< of it, standing still for copies in memory
  /// The rest of it: what slow nodes, heat and a smaller machine add.
  [[nodiscard]] double slowed() const { return step - copied - healthy - starved; }
};

struct Segment {
  Pace pace;
  double steps = 0;
  std::int64_t ticks = 0;  ///< that it takes, checkpoints included
  // Checkpoints on the way: the first after so many steps, then one every so many; each stops it.
  std::int64_t saves = 0;
  double to_first = 0, every = 0, blocked = 0;
};

struct SegmentProgress {
  double steps = 0;            ///< done
  std::int64_t saves = 0;      ///< that ended
  double in_save = 0;          ///< seconds of one that has not
  double since_last_save = 0;  ///< seconds since the last that ended; of no meaning without one
};
/// After `elapsed` ticks, from 0 to all of them.
[[nodiscard]] SegmentProgress progress(const Segment&, std::int64_t elapsed);

}  // namespace forerun::sim
