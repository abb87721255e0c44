#pragma once

/// A sweep from what is stored to its end: results go from whoever answers into the store.

#include <cstdint>
#include <functional>

#include "sim/sweep/crew.h"
#include "sim/sweep/store.h"

namespace forerun::sim {

/// Points of the sweep that are not in the store, in their order.
[[nodiscard]] std::vector<std::int64_t> missing_points(const Sweep&, const SweepStore&);

/// Stores what `crew`, which was given those points, answers. `told` is called with the number of
/// stored points whenever it may have changed; once `stopped` says so, no further point is begun,
/// those that are being answered are stored. True if all points are stored; then the store is
/// finished.
[[nodiscard]] bool run_sweep(const Sweep&, SweepStore&, Crew& crew,
                             const std::function<void(std::int64_t stored)>& told,
                             const std::function<bool()>& stopped);

}  // namespace forerun::sim
