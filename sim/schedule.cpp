#include "sim/schedule.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace forerun::sim {
namespace {

using hw::Pass;

std::int64_t group_of(const PipelineShape& s) {
  return s.micro_batch_group > 0 ? s.micro_batch_group : s.ranks;
}

/// Forward passes in order: groups of micro-batches, each through all chunks in turn. With one
/// virtual stage: micro-batches in turn.
std::vector<ScheduledPass> forward_order(const PipelineShape& s) {
  std::vector<ScheduledPass> order;
  order.reserve(static_cast<std::size_t>(s.micro_batches * s.virtual_stages));
  const std::int64_t group = group_of(s);
  for (std::int64_t first = 0; first < s.micro_batches; first += group) {
    const std::int64_t last = std::min(first + group, s.micro_batches);
    for (std::int64_t chunk = 0; chunk < s.virtual_stages; ++chunk) {
      for (std::int64_t m = first; m < last; ++m) order.push_back({Pass::forward, m, chunk});
    }
  }
  return order;
}

std::int64_t warm_up(const PipelineShape& s, std::int64_t rank) {
  const std::int64_t after = s.ranks - rank - 1;
  switch (s.schedule) {
    case PipelineSchedule::all_forward_all_backward:
      return s.micro_batches;
    case PipelineSchedule::one_forward_one_backward:
      return std::min(after, s.micro_batches);
    case PipelineSchedule::interleaved:
      return std::min(2 * after + (s.virtual_stages - 1) * group_of(s),
                      s.virtual_stages * s.micro_batches);
  }
  return 0;
}

}  // namespace

std::optional<std::string> broken_rule(const PipelineShape& s) {
  if (s.ranks < 1 || s.virtual_stages < 1 || s.micro_batches < 1) {
    return fmt::format("ranks {}, virtual stages {}, micro-batches {}: each must be at least 1",
                       s.ranks, s.virtual_stages, s.micro_batches);
  }
  if (s.schedule != PipelineSchedule::interleaved) {
    if (s.virtual_stages == 1) return std::nullopt;
    return fmt::format("virtual stages {}: only the interleaved schedule has more than 1",
                       s.virtual_stages);
  }
  if (s.ranks < 2 || s.virtual_stages < 2) {
    return fmt::format(
        "ranks {}, virtual stages {}: the interleaved schedule needs at least 2 of each", s.ranks,
        s.virtual_stages);
  }
  const std::int64_t group = group_of(s);
  if (group < s.ranks || group > s.micro_batches) {
    return fmt::format("micro-batch group {}: must be from {} (ranks) to {} (micro-batches)", group,
                       s.ranks, s.micro_batches);
  }
  const std::int64_t rest = s.micro_batches % group;
  if (rest != 0 && rest < s.ranks) {
    return fmt::format(
        "{} micro-batches in groups of {} leave {}: the interleaved schedule needs a last group "
        "that is full or of at least {} (ranks)",
        s.micro_batches, group, rest, s.ranks);
  }
  return std::nullopt;
}

std::vector<ScheduledPass> rank_schedule(const PipelineShape& s, std::int64_t rank) {
  const auto broken = broken_rule(s);
  FORERUN_ASSERT(!broken && rank >= 0 && rank < s.ranks,
                 fmt::format("rank {} of {}: {}", rank, s.ranks, broken.value_or("no such rank")));
  const std::vector<ScheduledPass> forward = forward_order(s);
  const auto backward = [&](std::size_t i) {
    return ScheduledPass{Pass::backward, forward[i].micro_batch,
                         s.virtual_stages - 1 - forward[i].chunk};
  };
  const auto warm = static_cast<std::size_t>(warm_up(s, rank));
  std::vector<ScheduledPass> passes(forward.begin(),
                                    forward.begin() + static_cast<std::ptrdiff_t>(warm));
  passes.reserve(2 * forward.size());
  for (std::size_t i = warm; i < forward.size(); ++i) {
    passes.push_back(forward[i]);
    passes.push_back(backward(i - warm));
  }
  for (std::size_t i = forward.size() - warm; i < forward.size(); ++i) {
    passes.push_back(backward(i));
  }
  return passes;
}

std::vector<ScheduledPass> rank_schedule(PipelineSchedule schedule, std::int64_t ranks,
                                         std::int64_t virtual_stages, std::int64_t micro_batches,
                                         std::int64_t rank) {
  return rank_schedule({schedule, ranks, virtual_stages, micro_batches, 0}, rank);
}

std::optional<ChunkPlace> upstream(const PipelineShape& s, ChunkPlace place, Pass pass) {
  const std::int64_t step = pass == Pass::forward ? -1 : 1;
  const std::int64_t index = place.chunk * s.ranks + place.rank + step;
  if (index < 0 || index >= s.ranks * s.virtual_stages) return std::nullopt;
  return ChunkPlace{index % s.ranks, index / s.ranks};
}

std::optional<ChunkPlace> downstream(const PipelineShape& s, ChunkPlace place, Pass pass) {
  return upstream(s, place, pass == Pass::forward ? Pass::backward : Pass::forward);
}

std::int64_t peak_in_flight(std::span<const ScheduledPass> passes) {
  std::int64_t held = 0, peak = 0;
  for (const ScheduledPass& p : passes) {
    held += p.pass == Pass::forward ? 1 : -1;
    peak = std::max(peak, held);
  }
  return peak;
}

}  // namespace forerun::sim
