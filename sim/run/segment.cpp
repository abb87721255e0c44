#include "sim/run/segment.h"

#include <algorithm>
#include <cmath>

#include "sim/run/run_ticks.h"

namespace forerun::sim {

SegmentProgress progress(const Segment& s, std::int64_t ticks) {
  SegmentProgress p;
  const double elapsed = run_seconds(ticks);
  const double step = s.pace.step;
  const bool all = ticks == s.ticks;
  if (s.saves == 0) {
    const double whole = s.steps * step;
    p.steps = all ? s.steps : whole > 0 ? s.steps * std::min(1.0, elapsed / whole) : 0;
    return p;
  }
  const double first_ends = s.to_first * step + s.blocked;
  if (!all && elapsed < first_ends) {
    p.steps = std::min(s.to_first, elapsed / step);
    p.in_save = std::max(0.0, elapsed - s.to_first * step);
    return p;
  }
  const double spacing = s.blocked + s.every * step;
  const double last = static_cast<double>(s.saves - 1);
  const double ended = std::clamp(std::floor((elapsed - first_ends) / spacing), 0.0, last);
  p.saves = static_cast<std::int64_t>(ended) + 1;
  p.since_last_save = std::max(0.0, elapsed - first_ends - ended * spacing);
  if (all) {
    p.steps = s.steps;
    p.saves = s.saves;
    return p;
  }
  const double after = p.since_last_save / step;
  const bool next = p.saves < s.saves;
  p.steps =
      std::min(s.steps, s.to_first + ended * s.every + (next ? std::min(s.every, after) : after));
  if (next) p.in_save = std::max(0.0, p.since_last_save - s.every * step);
  return p;
}

}  // namespace forerun::sim
