#pragma once

/// How often to save, and what that leaves, in closed form. For a job that fails memorylessly, once
/// in M on average; saving stops it for w; after a failure it stands still for R.
///
///   Young (1974):  interval = sqrt(2 w M)
///   Daly (2006):   interval = sqrt(2 w M) (1 + x/3 + x^2/9) - w,  x = sqrt(w / 2M);  M if w >= 2M
///   time to do work T in intervals d (Daly 2006, eq. 13, restarts may fail, too):
///                  M exp(R/M) (exp((d + w)/M) - 1) T/d
///   ratio of useful time, first order (as Kokolis et al. 2024, arXiv:2410.21680, use it):
///                  (1 - (R + d/2) / M) / (1 + w/d)
///
/// These are what the simulation is held against, and the default interval; what they leave out
/// (ranges, silent corruption, spares, several tiers, writing behind the training) it has.

#include "core/quantity.h"

namespace forerun::sim {

/// All times above zero (restart: at least zero).
[[nodiscard]] Seconds young_interval(Seconds blocked, Seconds mean_time_to_failure);
[[nodiscard]] Seconds daly_interval(Seconds blocked, Seconds mean_time_to_failure);
[[nodiscard]] Seconds daly_duration(Seconds work, Seconds interval, Seconds blocked,
                                    Seconds restart, Seconds mean_time_to_failure);
/// In [0, 1].
[[nodiscard]] double first_order_goodput(Seconds interval, Seconds blocked, Seconds restart,
                                         Seconds mean_time_to_failure);

}  // namespace forerun::sim
