#include "sim/sweep/run_sweep.h"

namespace forerun::sim {

std::vector<std::int64_t> missing_points(const Sweep& s, const SweepStore& store) {
  std::vector<std::int64_t> out;
  for (std::int64_t p = 0; p < s.points(); ++p) {
    if (!store.has(p)) out.push_back(p);
  }
  return out;
}

bool run_sweep(const Sweep& s, SweepStore& store, Crew& crew,
               const std::function<void(std::int64_t stored)>& told,
               const std::function<bool()>& stopped) {
  bool stopping = false;
  while (!crew.done()) {
    const std::vector<PointResult> results = crew.take();
    if (!results.empty()) store.add(results);
    told(store.count());
    if (!stopping && stopped()) {
      crew.stop();
      stopping = true;
    }
  }
  if (store.count() < s.points()) return false;
  store.finish();
  return true;
}

}  // namespace forerun::sim
