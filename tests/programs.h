#pragma once

/// Small programs for tests and benchmarks of the event engine.

#include <array>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/attribution.h"
#include "sim/critical_path.h"
#include "sim/program.h"
#include "sim/schedule.h"

namespace forerun::sim {

/// A program of `ranks` empty ranks and `channels` channels; operations are added with `add`.
inline Program empty_program(std::int64_t ranks, std::int32_t channels = 0) {
  Program p;
  p.labels.push_back({"work", "", DurationEvidence::measured});
  for (std::int64_t r = 0; r < ranks; ++r) p.ranks.push_back({"stage " + std::to_string(r), {}});
  p.channels = channels;
  return p;
}

inline OperationId add(Program& p, std::int64_t rank, const Operation& o) {
  auto& operations = p.ranks[static_cast<std::size_t>(rank)].operations;
  operations.push_back(o);
  return static_cast<OperationId>(operations.size()) - 1;
}

inline Operation on(StreamKind stream, std::int64_t duration, Category category) {
  Operation o;
  o.stream = stream;
  o.duration = duration;
  o.category = category;
  return o;
}

inline Operation compute(std::int64_t duration) {
  return on(StreamKind::compute, duration, Category::compute);
}

inline Operation tensor(std::int64_t duration) {
  return on(StreamKind::tensor, duration, Category::tensor_exchange);
}

inline Operation data(std::int64_t duration) {
  return on(StreamKind::data, duration, Category::data_exchange);
}

inline Operation send(std::int32_t channel, std::int64_t duration) {
  Operation o = on(StreamKind::pipeline_send, duration, Category::pipeline_exchange);
  o.sends = true;
  o.channel = channel;
  return o;
}

inline Operation receive(std::int32_t channel) {
  Operation o = on(StreamKind::pipeline_receive, 0, Category::pipeline_exchange);
  o.receives = true;
  o.channel = channel;
  return o;
}

/// Issued `first` ticks of host after the operation before it, and bound to the host by `rest`.
inline Operation issued(Operation o, std::int64_t first, std::int64_t rest = 0) {
  o.host_first = first;
  o.host_rest = rest;
  return o;
}

/// The host issues nothing more until it has ended.
inline Operation awaited(Operation o) {
  o.host_waits = true;
  return o;
}

/// Slows compute beside it by `percent`.
inline Operation taxing(Operation o, std::uint8_t percent) {
  o.tax = percent;
  return o;
}

inline Operation meeting(Operation o, std::int32_t channel) {
  o.rendezvous = true;
  o.channel = channel;
  return o;
}

inline Operation waiting(Operation o, OperationId first, OperationId second = kNone) {
  o.wait = {first, second};
  return o;
}

inline std::int64_t of(const CategoryTicks& ticks, Category c) {
  return ticks[static_cast<std::size_t>(c)];
}

inline std::int64_t sum(const CategoryTicks& ticks) {
  return std::accumulate(ticks.begin(), ticks.end(), std::int64_t{0});
}

/// Whether the path's links follow one another without a gap from 0 to `end`.
inline bool tiles(const CriticalPath& path, std::int64_t end) {
  std::int64_t at = 0;
  for (const CriticalLink& link : path.links) {
    if (link.begin != at) return false;
    at = link.end;
  }
  return at == end;
}

/// Costs of a synthetic pipeline, in ticks: each pass of a chunk is `layers` products, each
/// followed by a tensor-parallel exchange that the next waits for (none when `exchange` is
/// negative). A forward pass together with a backward pass takes as long as both, less `hidden`.
struct PipelineCosts {
  std::int64_t forward = 1, backward = 2;  ///< of a layer
  std::int64_t layers = 1;
  std::int64_t exchange = -1;
  std::int64_t message = 0;
  std::int64_t host = 0;     ///< to issue an operation
  std::int64_t weights = 1;  ///< of `backward`, where a schedule splits it
  std::int64_t hidden = 0;
  [[nodiscard]] std::int64_t of(PassKind k) const {
    switch (k) {
      case PassKind::forward:
        return forward;
      case PassKind::backward:
        return backward;
      case PassKind::input_gradient:
        return backward - weights;
      case PassKind::weight_gradient:
        return weights;
    }
    return 0;
  }
};

/// Every rank of a pipeline schedule, with its messages.
inline Program pipeline_program(const PipelineShape& shape, const PipelineCosts& costs) {
  Program program = empty_program(shape.ranks);
  // The message into (rank, chunk) for a micro-batch of one pass.
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t, bool>, std::int32_t> channels;
  const auto channel = [&](ChunkPlace to, const ScheduledPass& pass) {
    const auto key =
        std::tuple(to.rank, to.chunk, pass.micro_batch, pass.pass == PassKind::forward);
    const auto found = channels.try_emplace(key, program.channels);
    if (found.second) ++program.channels;
    return found.first->second;
  };
  for (std::int64_t rank = 0; rank < shape.ranks; ++rank) {
    const auto order = rank_schedule(shape, rank);
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::vector<ScheduledPass> together = {order[i]};
      if (order[i].beside_next) together.push_back(order[++i]);
      const auto issue = [&](Operation o, OperationId wait, OperationId also_wait = kNone) {
        o.host_first = costs.host;
        o.micro_batch = static_cast<std::int32_t>(together.front().micro_batch);
        return add(program, rank, waiting(o, wait, also_wait));
      };
      std::array<OperationId, 2> received{kNone, kNone};
      std::int64_t duration = together.size() > 1 ? -costs.hidden : 0;
      for (std::size_t k = 0; k < together.size(); ++k) {
        const ScheduledPass& pass = together[k];
        const ChunkPlace here{rank, pass.chunk};
        if (upstream(shape, here, pass.pass)) {
          received[k] = issue(receive(channel(here, pass)), kNone);
        }
        duration += costs.of(pass.pass);
      }
      OperationId last = kNone;
      for (std::int64_t layer = 0; layer < costs.layers; ++layer) {
        last = layer == 0 ? issue(compute(duration), received[0], received[1])
                          : issue(compute(duration), last);
        if (costs.exchange >= 0) last = issue(tensor(costs.exchange), last);
      }
      for (const ScheduledPass& pass : together) {
        if (const auto to = downstream(shape, {rank, pass.chunk}, pass.pass)) {
          issue(send(channel(*to, pass), costs.message), last);
        }
      }
    }
  }
  return program;
}

}  // namespace forerun::sim
