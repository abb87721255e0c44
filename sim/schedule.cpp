#include "sim/schedule.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "sim/split_schedules.h"

namespace forerun::sim {
namespace {

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
      for (std::int64_t m = first; m < last; ++m) order.push_back({PassKind::forward, m, chunk});
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
    case PipelineSchedule::zero_bubble_h1:
    case PipelineSchedule::dualpipe:
      break;  // have an order of their own
  }
  return 0;
}

/// Whether a chunk of DualPipe's serves the stream that enters at the last rank.
bool second_stream(const PipelineShape& s, ChunkPlace place) {
  return (place.rank >= s.ranks / 2) != (place.chunk == 1);
}

}  // namespace

const char* name(PassKind k) {
  switch (k) {
    case PassKind::forward:
      return "forward";
    case PassKind::backward:
      return "backward";
    case PassKind::input_gradient:
      return "input gradients";
    case PassKind::weight_gradient:
      return "weight gradients";
  }
  return "";
}

PipelineShape pipeline_shape(const Plan& p) {
  return {p.schedule, p.pipeline, p.virtual_stages, p.micro_batches(), 0};
}

std::int64_t chunks_of_rank(const PipelineShape& s) {
  return s.schedule == PipelineSchedule::dualpipe ? 2 : s.virtual_stages;
}
std::int64_t model_chunks(const PipelineShape& s) { return s.ranks * s.virtual_stages; }
std::int64_t micro_batches_of_chunk(const PipelineShape& s) {
  return s.schedule == PipelineSchedule::dualpipe ? s.micro_batches / 2 : s.micro_batches;
}

std::optional<std::string> broken_rule(const PipelineShape& s) {
  if (s.ranks < 1 || s.virtual_stages < 1 || s.micro_batches < 1) {
    return fmt::format("ranks {}, virtual stages {}, micro-batches {}: each must be at least 1",
                       s.ranks, s.virtual_stages, s.micro_batches);
  }
  if (s.schedule != PipelineSchedule::interleaved && s.virtual_stages > 1) {
    return fmt::format("virtual stages {}: only the interleaved schedule has more than 1",
                       s.virtual_stages);
  }
  if (s.schedule == PipelineSchedule::dualpipe) {
    if (s.ranks % 2 == 0 && s.micro_batches % 2 == 0 && s.micro_batches >= 2 * s.ranks) {
      return std::nullopt;
    }
    return fmt::format(
        "ranks {}, micro-batches {}: dualpipe needs an even number of ranks and an even number of "
        "micro-batches, at least twice as many",
        s.ranks, s.micro_batches);
  }
  if (s.schedule != PipelineSchedule::interleaved) return std::nullopt;
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
  if (s.schedule == PipelineSchedule::zero_bubble_h1) return zero_bubble_h1(s, rank);
  if (s.schedule == PipelineSchedule::dualpipe) return dualpipe(s, rank);
  const std::vector<ScheduledPass> forward = forward_order(s);
  const auto backward = [&](std::size_t i) {
    return ScheduledPass{PassKind::backward, forward[i].micro_batch,
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

std::int64_t model_chunk(const PipelineShape& s, ChunkPlace place) {
  if (s.schedule != PipelineSchedule::dualpipe) return place.chunk * s.ranks + place.rank;
  return second_stream(s, place) ? s.ranks - 1 - place.rank : place.rank;
}

ChunkPlace place_of(const PipelineShape& s, std::int64_t model_chunk, std::int64_t micro_batch) {
  if (s.schedule != PipelineSchedule::dualpipe) {
    return {model_chunk % s.ranks, model_chunk / s.ranks};
  }
  const bool second = micro_batch >= s.micro_batches / 2;
  return {second ? s.ranks - 1 - model_chunk : model_chunk, model_chunk < s.ranks / 2 ? 0 : 1};
}

std::int64_t first_micro_batch(const PipelineShape& s, ChunkPlace place) {
  const bool second = s.schedule == PipelineSchedule::dualpipe && second_stream(s, place);
  return second ? s.micro_batches / 2 : 0;
}

std::optional<ChunkPlace> upstream(const PipelineShape& s, ChunkPlace place, PassKind pass) {
  if (pass == PassKind::weight_gradient) return std::nullopt;
  const std::int64_t index = model_chunk(s, place) + (pass == PassKind::forward ? -1 : 1);
  if (index < 0 || index >= model_chunks(s)) return std::nullopt;
  return place_of(s, index, first_micro_batch(s, place));
}

std::optional<ChunkPlace> downstream(const PipelineShape& s, ChunkPlace place, PassKind pass) {
  if (pass == PassKind::weight_gradient) return std::nullopt;
  return upstream(s, place,
                  pass == PassKind::forward ? PassKind::input_gradient : PassKind::forward);
}

std::int64_t peak_in_flight(std::span<const ScheduledPass> passes) {
  std::int64_t held = 0, peak = 0;
  for (const ScheduledPass& p : passes) {
    if (p.pass == PassKind::forward) ++held;
    if (makes_weight_gradient(p.pass)) --held;
    peak = std::max(peak, held);
  }
  return peak;
}

}  // namespace forerun::sim
