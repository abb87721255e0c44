#pragma once

/// Pipeline schedules: the order in which each pipeline rank runs the forward and backward passes
/// of its model chunks. Chunk `chunk` of rank r is the (chunk * ranks + r)-th of the model, but for
/// DualPipe.
///
/// - all_forward_all_backward (GPipe, Huang et al. 2019): m forward passes, then m backward ones in
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
///
/// Two more split backward passes into gradients of activations, which another stage waits for, and
/// of weights, which nothing waits for (models/split_backward.h); order in sim/split_schedules.cpp:
///
/// - zero_bubble_h1 (Qi et al. 2023, arXiv 2401.10241, section 2.1): 1F1B whose weight gradients
///   fill the bubble. Bubble (p - 1) (F + B - W) of a forward pass F and a backward pass of input
///   part B and weight part W, against (p - 1) (F + B + W); at most p micro-batches in flight.
/// - dualpipe (DeepSeek-AI 2024, arXiv 2412.19437, section 3.2.1, as its code orders it,
///   github.com/deepseek-ai/DualPipe): micro-batches enter at both ends, half of them each. Rank r
///   holds stage h = min(r, p - 1 - r) as chunk 0 and stage p - 1 - h as chunk 1, so that two ranks
///   hold the same; chunk 0 of the first half of the ranks and chunk 1 of the second serve stream
///   0, micro-batches 0 to m / 2 - 1. Forward passes run together with backward passes of the other
///   stream, kernels of the one beside exchanges of the other. Bubble (p / 2 - 1) (F&B + B - 3 W),
///   B whole; at most p + 1 micro-batches in flight.
///
/// Not here: ZB-H2 and ZB-V, DualPipeV, chunks of backward passes that are not halves.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/plan.h"

namespace forerun::sim {

/// `backward` is both parts of a backward pass, one after the other for every layer.
enum class PassKind : std::uint8_t { forward, backward, input_gradient, weight_gradient };
/// "forward", "backward", "input gradients", "weight gradients".
[[nodiscard]] const char* name(PassKind);
/// Whether it takes and passes on gradients of activations.
[[nodiscard]] constexpr bool returns_gradient(PassKind k) {
  return k == PassKind::backward || k == PassKind::input_gradient;
}
/// Whether gradients of weights are there after it.
[[nodiscard]] constexpr bool makes_weight_gradient(PassKind k) {
  return k == PassKind::backward || k == PassKind::weight_gradient;
}

struct ScheduledPass {
  PassKind pass = PassKind::forward;
  std::int64_t micro_batch = 0;
  std::int64_t chunk = 0;    ///< of this rank
  bool beside_next = false;  ///< a forward pass that runs together with the backward pass after it
  bool operator==(const ScheduledPass&) const = default;
};

/// A schedule's size.
struct PipelineShape {
  PipelineSchedule schedule = PipelineSchedule::one_forward_one_backward;
  std::int64_t ranks = 1, virtual_stages = 1, micro_batches = 1;
  std::int64_t micro_batch_group = 0;  ///< of the interleaved schedule; 0: as many as ranks
};

[[nodiscard]] PipelineShape pipeline_shape(const Plan&);
/// Whether some of its backward passes are in two parts.
[[nodiscard]] constexpr bool splits_backward(PipelineSchedule s) {
  return s == PipelineSchedule::zero_bubble_h1 || s == PipelineSchedule::dualpipe;
}

/// Model chunks that a rank holds, and that the model is divided into.
[[nodiscard]] std::int64_t chunks_of_rank(const PipelineShape&);
[[nodiscard]] std::int64_t model_chunks(const PipelineShape&);
/// Micro-batches that one chunk of a rank serves: all, or of DualPipe half.
[[nodiscard]] std::int64_t micro_batches_of_chunk(const PipelineShape&);

/// The rule that `shape` breaks, or nothing. Interleaving needs two or more ranks and virtual
/// stages and, as in Megatron-LM, ranks <= group <= micro-batches and a last group that is full or
/// no smaller than `ranks`; so with the usual group, micro-batches must be a multiple of ranks. The
/// other schedules have one virtual stage. DualPipe needs an even number of ranks and an even
/// number of micro-batches, at least twice as many.
[[nodiscard]] std::optional<std::string> broken_rule(const PipelineShape& shape);

/// The passes of `rank` in order. Asserts that no rule is broken.
[[nodiscard]] std::vector<ScheduledPass> rank_schedule(const PipelineShape& shape,
                                                       std::int64_t rank);

/// Where a model chunk lies.
struct ChunkPlace {
  std::int64_t rank = 0, chunk = 0;
  bool operator==(const ChunkPlace&) const = default;
};
/// Which chunk of the model that is, in its order.
[[nodiscard]] std::int64_t model_chunk(const PipelineShape&, ChunkPlace place);
/// Where that chunk lies for a micro-batch.
[[nodiscard]] ChunkPlace place_of(const PipelineShape&, std::int64_t model_chunk,
                                  std::int64_t micro_batch);
/// The first of the micro-batches that the chunk at `place` serves.
[[nodiscard]] std::int64_t first_micro_batch(const PipelineShape&, ChunkPlace place);
/// The chunk whose output a pass at `place` takes (forward: the one before; backward: the one
/// after, for its gradient), or nothing at the ends of the model and for gradients of weights.
[[nodiscard]] std::optional<ChunkPlace> upstream(const PipelineShape&, ChunkPlace place, PassKind);
/// The chunk that takes the output of a pass at `place`.
[[nodiscard]] std::optional<ChunkPlace> downstream(const PipelineShape&, ChunkPlace place,
                                                   PassKind);

/// The most chunk passes whose activations are held at once: forward done, weight gradients not.
[[nodiscard]] std::int64_t peak_in_flight(std::span<const ScheduledPass>);

}  // namespace forerun::sim
