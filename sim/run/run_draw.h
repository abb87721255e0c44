#pragma once

/// One simulated run, from its first step to its last token: how long it took and where the time
/// went. Made by sim/run/run_events.h; read by cost, reports, sweeps and the planner.

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/quantity.h"
#include "core/reader.h"

namespace forerun::sim {

/// What a moment of the run was spent on. Every moment is one of them.
enum class TimeUse : std::uint8_t {
  training,     ///< steps that count, at the pace of a healthy machine with its data at hand
  slowdown,     ///< what slow nodes, heat of the day and a shrunken machine add to steps that count
  starved,      ///< steps waiting for data
  evaluation,   ///< evaluations between steps
  checkpoint,   ///< training stands still while state is saved
  redone,       ///< steps that did not count: lost to an interruption or thrown away by a rollback
  detection,    ///< the job is dead, hung or corrupt, and nobody knows yet
  restart,      ///< diagnosis, replacing, starting processes, loading a checkpoint, warming up
  waiting,      ///< for machines that are not there
  maintenance,  ///< planned windows
};
inline constexpr std::size_t kTimeUses = 10;
inline constexpr std::array<Choice<TimeUse>, kTimeUses> kTimeUseNames{{
    {"training", TimeUse::training},
    {"slowdown", TimeUse::slowdown},
    {"starved", TimeUse::starved},
    {"evaluation", TimeUse::evaluation},
    {"checkpoint", TimeUse::checkpoint},
    {"redone", TimeUse::redone},
    {"detection", TimeUse::detection},
    {"restart", TimeUse::restart},
    {"waiting", TimeUse::waiting},
    {"maintenance", TimeUse::maintenance},
}};
[[nodiscard]] inline std::string_view name(TimeUse u) { return name_in(kTimeUseNames, u); }

using TimeByUse = std::array<Seconds, kTimeUses>;

struct RunDraw {
  Seconds duration{};  ///< of the wall clock; `use` sums to it
  TimeByUse use{};
  bool finished = true;   ///< false: given up at the longest duration that is simulated
  double steps_done = 0;  ///< that count
  double steps_lost = 0;  ///< done and thrown away
  /// By cause, in the order of RunForecast::causes.
  std::vector<std::int64_t> interruptions;
  std::int64_t checkpoints = 0;  ///< that came to be in storage
  std::int64_t nodes_replaced = 0;
  std::int64_t rollbacks = 0;  ///< for the loss's sake
  /// Nodes that were held, and so paid, times the time: spares included. Not a time of the run.
  Seconds node_time{};
  /// Of them, in use by the job (training or not).
  Seconds job_node_time{};
  /// Time in which steps were computed (counting or not), without waiting for data: what draws the
  /// step's power.
  Seconds computing{};
  [[nodiscard]] Seconds of(TimeUse u) const { return use[static_cast<std::size_t>(u)]; }
  /// Time of steps that count, at a healthy machine's pace, over the whole time (ETTR, goodput).
  [[nodiscard]] double goodput() const { return of(TimeUse::training) / duration; }
};

}  // namespace forerun::sim
