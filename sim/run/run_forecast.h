#pragma once

/// What a run will take: many simulated runs (run_draw.h) and their percentiles.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/evidence.h"
#include "sim/run/run_draw.h"
#include "sim/run/run_setup.h"

namespace forerun::sim {

/// Of a quantity over the draws.
struct Spread {
  double p10 = 0, p50 = 0, p90 = 0, mean = 0;
};
/// Of values, at least one.
[[nodiscard]] Spread spread(std::vector<double> values);

struct RunForecast {
  struct Cause {
    std::string name;      ///< "GPU", "software" ...
    Spread interruptions;  ///< in a run
  };
  struct Part {
    TimeUse use = TimeUse::training;
    Spread share;  ///< of the duration
  };
  std::vector<Cause> causes;  ///< in the reliability profile's order
  std::vector<Part> parts;    ///< all uses, in their order
  Spread duration_s, goodput, interruptions;
  Spread rollbacks;  ///< for the loss's sake
  Spread steps_lost, checkpoints, nodes_replaced;
  Seconds checkpoint_interval{};         ///< between those in storage, as simulated
  std::optional<Seconds> best_interval;  ///< Young/Daly's; nothing where nothing fails
  std::int64_t nodes = 0, spares = 0;    ///< of the job; beside it
  Evidence evidence =
      Evidence::assumed;  ///< for detection, restart and replacement no source is known
  std::vector<std::string> assumptions, warnings;
  /// Of the whole run, undisturbed: without what its draws add.
  Seconds undisturbed{};
  /// What share of the draws was given up: it took longer than twenty times the undisturbed run.
  double given_up = 0;
  std::vector<RunDraw> draws;
};

/// `draws` runs over `threads` threads (0: one for each processor); the same for any number of
/// threads. Asserts draws above 0.
[[nodiscard]] RunForecast run_forecast(const RunSetup&, std::uint64_t seed, std::int64_t draws,
                                       int threads);

}  // namespace forerun::sim
