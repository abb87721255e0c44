#pragma once

/// Pipeline schedules: the order in which each pipeline rank runs the forward and backward passes
/// of its model chunks. Virtual stage `chunk` of rank r is the (chunk * ranks + r)-th chunk of the
/// model.
///
/// - all_forward_all_backward (GPipe, Huang et al. 2019): m forward passes, then m backward passes
/// in
///   the same order. m micro-batches in flight.
/// - one_forward_one_backward (PipeDream-flush; Narayanan et al. 2021, section 2.2.1): rank r of p
///   warms up with min(p - r - 1, m) forward passes, then one forward, one backward, then what is
///   left of the backward passes. min(p - r, m) micro-batches in flight.
/// - interleaved (Narayanan et al. 2021, section 2.2.2, as Megatron-LM's core/pipeline_parallel/
///   schedules.py orders it): micro-batches go in groups of g (Megatron's
///   microbatch_group_size_per_vp_stage, p unless given), each group through all v chunks in turn;
///   warm-up of 2 (p - r - 1) + (v - 1) g chunk passes; backward passes visit the chunks in
///   reverse.
///
/// Ideally, with equal stages and free messages, the bubble is (p - 1) / m of the work, interleaved
/// (p - 1) / (v m); interleaving with g = p holds 1 + (p - 1) / (p v) times the activations of 1F1B
/// on the first rank (Korthikanti et al. 2022, section 4.2.3).
/// Not here: zero-bubble and DualPipe schedules, which split the backward pass.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hw/kernel.h"
#include "sim/plan.h"

namespace forerun::sim {

struct ScheduledPass {
  hw::Pass pass = hw::Pass::forward;
  std::int64_t micro_batch = 0;
  std::int64_t chunk = 0;  ///< virtual stage of this rank
  bool operator==(const ScheduledPass&) const = default;
};

/// A schedule's size.
struct PipelineShape {
  PipelineSchedule schedule = PipelineSchedule::one_forward_one_backward;
  std::int64_t ranks = 1, virtual_stages = 1, micro_batches = 1;
  std::int64_t micro_batch_group = 0;  ///< of the interleaved schedule; 0: as many as ranks
};

/// The rule that `shape` breaks, or nothing. Interleaving needs two or more ranks and virtual
/// stages and, as in Megatron-LM, ranks <= group <= micro-batches and a last group that is full or
/// no smaller than `ranks`; so with the usual group, micro-batches must be a multiple of ranks. The
/// other schedules have one virtual stage.
[[nodiscard]] std::optional<std::string> broken_rule(const PipelineShape& shape);

/// The passes of `rank` in order. Asserts that no rule is broken.
[[nodiscard]] std::vector<ScheduledPass> rank_schedule(const PipelineShape& shape,
                                                       std::int64_t rank);
[[nodiscard]] std::vector<ScheduledPass> rank_schedule(PipelineSchedule, std::int64_t ranks,
                                                       std::int64_t virtual_stages,
                                                       std::int64_t micro_batches,
                                                       std::int64_t rank);

/// Where a model chunk lies.
struct ChunkPlace {
  std::int64_t rank = 0, chunk = 0;
  bool operator==(const ChunkPlace&) const = default;
};
/// The chunk whose output a pass at `place` takes (forward: the one before; backward: the one
/// after, for its gradient), or nothing at the ends of the model.
[[nodiscard]] std::optional<ChunkPlace> upstream(const PipelineShape&, ChunkPlace place, hw::Pass);
/// The chunk that takes the output of a pass at `place`.
[[nodiscard]] std::optional<ChunkPlace> downstream(const PipelineShape&, ChunkPlace place,
                                                   hw::Pass);

/// The most chunk passes whose activations are held at once: forward done, backward not.
[[nodiscard]] std::int64_t peak_in_flight(std::span<const ScheduledPass>);

}  // namespace forerun::sim
