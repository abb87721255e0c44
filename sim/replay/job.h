#pragma once

/// A traced job ready to be replayed: what ran, what it waited for, how long its work took.

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/problem.h"
#include "core/quantity.h"
#include "sim/replay/graph.h"
#include "sim/replay/job_trace.h"
#include "sim/replay/pipeline_graph.h"
#include "sim/replay/waiting.h"

namespace forerun::replay {

struct Job {
  JobTrace trace;
  ReplayGraph graph;
  Work work;
  /// Of a table: what each rank did in each step. Empty where stages and passes are not told.
  std::vector<RankStep> rank_steps;
  /// Whether replays keep the gaps. Of a table they are left out, as the authors of the rule do:
  /// they are a per cent or two. Of kernels they are the host's launches and stay.
  bool keeps_gaps = false;

  [[nodiscard]] std::span<const std::int64_t> gaps() const {
    return keeps_gaps ? std::span<const std::int64_t>(work.gaps) : std::span<const std::int64_t>();
  }
};

/// A job of a table of operations.
[[nodiscard]] std::optional<Job> make_table_job(JobTrace, Problems&);

/// A trace whose dependencies were found with it: (operation, what it waits for), and exchanges.
struct LinkedTrace {
  JobTrace trace;
  std::vector<std::pair<std::int32_t, std::int32_t>> waits;
  std::vector<std::vector<std::int32_t>> groups;
};
/// Reports a cycle by name.
[[nodiscard]] std::optional<Job> make_linked_job(LinkedTrace, Problems&);

/// The length of each step, in picoseconds: the last end of its operations.
[[nodiscard]] std::vector<std::int64_t> step_ends(const JobTrace&, const Dates&);
/// The mean length of the steps, with these durations in place of the job's.
[[nodiscard]] Seconds mean_step(const Job&, std::span<const std::int64_t> durations);
[[nodiscard]] Seconds mean_of(std::span<const std::int64_t> picoseconds);

/// The operation that ends last in a step.
[[nodiscard]] std::int32_t last_operation(const JobTrace&, const Dates&, std::int32_t step);

/// Time on the longest path through the median step, by kind of operation.
struct PathShare {
  std::int32_t kind = 0;
  Seconds work{}, gaps{};
  std::int64_t operations = 0;
};
struct Path {
  std::int32_t step = 0;
  Seconds length{};
  std::vector<PathShare> shares;  ///< longest first; works and gaps sum to `length`
};
/// Through the replay with the job's durations and gaps. Steps sorted by replayed length: the one
/// in the middle.
[[nodiscard]] Path median_path(const Job&);

}  // namespace forerun::replay
