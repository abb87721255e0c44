#pragma once

/// How the training job is laid over the machine: a parallel plan. All of it is input; what follows
/// from it (layers of each stage, groups and where their ranks lie) is derived in sim/layout.h.

#include <cstdint>
#include <set>
#include <vector>

#include "models/layer_operations.h"

namespace forerun::sim {

enum class PipelineSchedule : std::uint8_t {
  all_forward_all_backward,
  one_forward_one_backward,
  interleaved,
  zero_bubble_h1,
  dualpipe
};
/// What is cut over the data-parallel group: nothing (DDP), optimiser states (1), gradients too
/// (2), parameters too (3, FSDP full shard).
enum class ShardingStage : std::uint8_t { none = 0, optimizer = 1, gradients = 2, parameters = 3 };
enum class RecomputeMode : std::uint8_t { none, selective, full };
struct Recompute {
  RecomputeMode mode = RecomputeMode::none;
  std::set<models::LayerPart> parts;  ///< redone in the backward pass, when selective
  /// When > 0, only the first so many layers of a stage (of each virtual stage, as Megatron-LM's
  /// block method counts) are recomputed, in full.
  std::int64_t layers_per_stage = 0;
  bool encoders = false;  ///< with full recompute: layers of encoders are redone, too
  bool operator==(const Recompute&) const = default;
};

struct Plan {
  std::int64_t data = 1, tensor = 1, pipeline = 1, context = 1;
  /// Routed experts are shared out over `expert` ranks of a stage, each cut over `expert_tensor`;
  /// the rest of the stage's ranks hold copies (Megatron-Core's expert data parallel group).
  std::int64_t expert = 1, expert_tensor = 1;
  /// Encoders take the first so many model chunks for themselves; 0: the chunk with the embedding.
  std::int64_t encoder_stages = 0;
  std::int64_t encoder_tensor = 1;  ///< ranks of `tensor` that cut an encoder; the rest share items
  std::int64_t virtual_stages = 1;  ///< model chunks per pipeline rank (interleaving)
  bool sequence_parallel = false;   ///< activations outside tensor-parallel parts cut over `tensor`
  PipelineSchedule schedule = PipelineSchedule::one_forward_one_backward;
  models::ContextExchange context_exchange = models::ContextExchange::ring;
  ShardingStage sharding = ShardingStage::none;
  std::int64_t shard_group = 0;  ///< ranks that hold one copy (HSDP when < data); 0: all of data
  Recompute recompute;
  models::PrecisionRecipe precision = models::PrecisionRecipe::bf16;
  std::int64_t micro_batch = 1;   ///< sequences
  std::int64_t global_batch = 1;  ///< sequences
  std::int64_t sequence = 2048;   ///< tokens
  /// Embedding and loss take a layer slot each when stages are filled (Megatron's
  /// account-for-embedding/loss-in-pipeline-split); when false the layers alone are divided.
  /// Modules of multi-token prediction take one each beside the loss.
  bool embedding_takes_slot = false, loss_takes_slot = false;
  /// Layers of each model chunk, in the model's order; empty: divided as the framework does.
  std::vector<std::int64_t> layers_of_chunks;
  bool layers_by_time = false;  ///< `layers_of_chunks` come from sim/layers_by_time.h
  /// Activations of so many layers are kept on the host. Not modelled: the time of the copies,
  /// which are taken to run beside the passes.
  std::int64_t activation_offload_layers = 0;
  [[nodiscard]] std::int64_t accelerators() const { return data * tensor * pipeline * context; }
  [[nodiscard]] std::int64_t micro_batches() const { return global_batch / (data * micro_batch); }
};

}  // namespace forerun::sim
