#include "sim/replay/job.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "sim/engine.h"

namespace forerun::replay {
namespace {

constexpr double kPicosecondsPerSecond = 1e12;

Seconds seconds(std::int64_t picoseconds) {
  return Seconds(static_cast<double>(picoseconds) / kPicosecondsPerSecond);
}

/// Reports steps whose operations are longer together than sums of picoseconds can say (53 days of
/// accelerators' time).
bool short_enough(const JobTrace& trace, const Work& work, Problems& problems) {
  std::vector<double> sums(trace.steps.size(), 0);
  for (std::size_t i = 0; i < trace.operations.size(); ++i) {
    sums[static_cast<std::size_t>(trace.operations[i].step)] +=
        static_cast<double>(work.durations[i]) + static_cast<double>(work.gaps[i]);
  }
  for (std::size_t s = 0; s < sums.size(); ++s) {
    if (sums[s] < sim::kMostTicks) continue;
    problems.add("", fmt::format("the operations of step {} take {:.0f} s together, more than is "
                                 "meant",
                                 trace.steps[s], sums[s] / kPicosecondsPerSecond));
    return false;
  }
  return true;
}

}  // namespace

std::optional<Job> make_table_job(JobTrace trace, Problems& problems) {
  std::optional<std::vector<RankStep>> steps = rank_steps(trace, problems);
  if (!steps) return std::nullopt;
  std::optional<ReplayGraph> graph =
      make_pipeline_graph(trace, *steps, match_messages(trace, *steps), problems);
  if (!graph) return std::nullopt;
  Work work = split_waiting(trace, *graph);
  if (!short_enough(trace, work, problems)) return std::nullopt;
  return Job{std::move(trace), *std::move(graph), std::move(work), *std::move(steps), false};
}

std::optional<Job> make_linked_job(LinkedTrace linked, Problems& problems) {
  std::vector<std::int32_t> cycle;
  std::optional<ReplayGraph> graph = ReplayGraph::make(
      linked.trace.operations.size(), std::move(linked.waits), linked.groups, cycle);
  if (!graph) {
    problems.add("", "operations wait for each other: " + describe_cycle(linked.trace, cycle));
    return std::nullopt;
  }
  Work work = split_waiting(linked.trace, *graph);
  if (!short_enough(linked.trace, work, problems)) return std::nullopt;
  return Job{std::move(linked.trace), *std::move(graph), std::move(work), {}, true};
}

std::vector<std::int64_t> step_ends(const JobTrace& trace, const Dates& dates) {
  std::vector<std::int64_t> ends(trace.steps.size(), 0);
  for (std::size_t i = 0; i < trace.operations.size(); ++i) {
    std::int64_t& end = ends[static_cast<std::size_t>(trace.operations[i].step)];
    end = std::max(end, dates.end[i]);
  }
  return ends;
}

Seconds mean_of(std::span<const std::int64_t> picoseconds) {
  double sum = 0;
  for (const std::int64_t p : picoseconds) sum += static_cast<double>(p);
  return Seconds(sum / kPicosecondsPerSecond / static_cast<double>(picoseconds.size()));
}

Seconds mean_step(const Job& job, std::span<const std::int64_t> durations) {
  return mean_of(step_ends(job.trace, job.graph.replay(durations, job.gaps())));
}

std::int32_t last_operation(const JobTrace& trace, const Dates& dates, std::int32_t step) {
  std::int32_t last = -1;
  for (std::size_t i = 0; i < trace.operations.size(); ++i) {
    if (trace.operations[i].step != step) continue;
    if (last < 0 || dates.end[i] > dates.end[static_cast<std::size_t>(last)]) {
      last = static_cast<std::int32_t>(i);
    }
  }
  return last;
}

Path median_path(const Job& job) {
  const Dates dates = job.graph.replay(job.work.durations, job.gaps());
  const std::vector<std::int64_t> ends = step_ends(job.trace, dates);
  std::vector<std::int32_t> order(ends.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {},
                           [&](std::int32_t s) { return ends[static_cast<std::size_t>(s)]; });
  Path path;
  path.step = order[(order.size() - 1) / 2];
  path.length = seconds(ends[static_cast<std::size_t>(path.step)]);
  std::map<std::int32_t, PathShare> shares;
  std::int64_t before = 0;  // end of the link before
  for (const std::int32_t o :
       longest_path(job.graph, dates, last_operation(job.trace, dates, path.step))) {
    const auto i = static_cast<std::size_t>(o);
    PathShare& share = shares[job.trace.operations[i].kind];
    const std::int64_t work = job.work.durations[i];
    share.kind = job.trace.operations[i].kind;
    share.work += seconds(work);
    share.gaps += seconds(dates.end[i] - work - before);
    ++share.operations;
    before = dates.end[i];
  }
  for (const auto& [kind, share] : shares) path.shares.push_back(share);
  std::ranges::stable_sort(path.shares, [](const PathShare& a, const PathShare& b) {
    return a.work + a.gaps > b.work + b.gaps;
  });
  return path;
}

}  // namespace forerun::replay
