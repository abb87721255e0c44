#pragma once

/// What follows from a plan: which layers each stage holds, and where the ranks of each group lie.
/// Ranks are numbered tensor fastest, then context, then data, then pipeline (Megatron-LM's order).

#include <cstdint>
#include <optional>
#include <vector>

#include "hw/collective.h"
#include "models/encoder_operations.h"
#include "models/layers.h"
#include "models/parameters.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// One model chunk of one pipeline rank.
struct Chunk {
  std::int64_t layers = 0;
  std::int64_t first_layer = 0;  ///< of the model
  bool embedding = false;        ///< holds the word embedding
  bool head = false;             ///< holds final norm and output matrix
  bool cast = false;             ///< casts the logits to 32 bit (where the framework does)
  bool loss = false;             ///< holds the cross-entropy; nothing of the model lies after it
  /// What it holds of the encoders, if anything: all, beside the word embedding, or a part, alone.
  std::optional<models::EncoderPart> encoder = std::nullopt;
  bool operator==(const Chunk&) const = default;
};

/// A group and which ranks it has: of each run of ranks x stride ranks of a stage, those `stride`
/// apart, one group for each of the first `stride`. Pairs of stages are `stride` apart in the
/// numbering of all ranks.
struct PlacedGroup : hw::Group {
  std::int64_t stride = 1;
  bool mirrored = false;  ///< DualPipe: half of them on the stage that holds the same parameters
  auto operator<=>(const PlacedGroup&) const = default;
};

/// The ranks of a stage, by their number in it, that are in one group with rank `within`; of a
/// mirrored group the half that lies on the stage. Not of a pair of stages.
[[nodiscard]] std::vector<std::int64_t> members_in_stage(const PlacedGroup&, std::int64_t within);

/// chunks[rank][chunk]; which of the model that is: model_chunk in sim/schedule.h. Under DualPipe
/// ranks r and pipeline - 1 - r hold the same two stages, and gradients are summed over both.
struct Layout {
  std::vector<std::vector<Chunk>> chunks;
  models::LayerKinds kinds;  ///< of the model's layers
  std::int64_t padded_vocab = 0;
  PlacedGroup tensor, context;
  PlacedGroup encoder;        ///< ranks that cut an encoder
  PlacedGroup expert;         ///< ranks that share out the routed experts of a layer
  PlacedGroup expert_tensor;  ///< ranks that cut each of them
  PlacedGroup data;           ///< gradients are summed over data x context (DualPipe: x 2)
  PlacedGroup shard;     ///< one copy of what is sharded (HSDP: part of data); one rank if nothing
  PlacedGroup replicas;  ///< HSDP: across copies; one rank otherwise
  PlacedGroup expert_data;   ///< gradients of routed experts are summed over these
  PlacedGroup expert_shard;  ///< one copy of what is sharded of routed experts; one rank if nothing
  PlacedGroup embedding;     ///< first and last stage, for the tied matrix; one rank if both here
  PlacedGroup pipeline_link;  ///< neighbours
  [[nodiscard]] std::int64_t stage_layers(std::int64_t rank) const;
  [[nodiscard]] bool holds_embedding(std::int64_t rank) const;
  [[nodiscard]] bool holds_head(std::int64_t rank) const;
  [[nodiscard]] bool holds_loss(std::int64_t rank) const;
};

/// Layers of every stage and the place of every group.
///
/// LayerDivision::equal: chunks get as many layers each; with slots for embedding or loss those
/// count as a layer of the first or last chunk. What does not divide goes to the chunks in the
/// middle (the ends hold embedding and loss). LayerDivision::by_cost (nanotron): blocks in model
/// order, of which a decoder layer and the output matrix cost their products; a stage ends with the
/// block that brings the running sum to its share. The head may then lie before the last stage; the
/// cast of the logits and the loss, blocks of their own, go to the next stages, so that logits
/// travel between stages; a stage may hold nothing. Chunks that hold encoders alone come first, and
/// the language model is divided over the others.
///
/// Groups are contiguous in the numbering above; of a scale-up domain that does not divide the job
/// (72 accelerators of which a job takes 64) the largest part that does is used, when it is at
/// least half of it.
[[nodiscard]] Layout make_layout(const Scenario&);
/// Accelerators of a domain that the job uses.
[[nodiscard]] std::int64_t used_domain(const Scenario&);

/// Parameters (not bytes) that one tensor rank of pipeline rank `rank` holds, before sharding.
struct StageParameters {
  std::int64_t layers = 0;                 ///< of all its layers, but for routed experts
  std::int64_t experts = 0;                ///< routed experts of all its layers
  std::int64_t embedding = 0;              ///< word and position embedding, embedding norm
  std::int64_t adapters = 0;               ///< adapters and what makes conditions
  std::int64_t encoders = 0;               ///< parts of encoders and connectors that are trained
  std::int64_t frozen = 0;                 ///< parts of encoders that are not
  std::int64_t multi_token = 0;            ///< what joins, of modules of multi-token prediction
  std::int64_t multi_token_embedding = 0;  ///< their copy of an embedding that is not here
  std::int64_t head = 0;  ///< output matrix (also the copy of a tied one) and final norm
  /// What is replicated over the data-parallel group.
  [[nodiscard]] std::int64_t dense() const {
    return layers + embedding + adapters + encoders + multi_token + multi_token_embedding + head;
  }
  /// All that is trained.
  [[nodiscard]] std::int64_t total() const { return dense() + experts; }
};
[[nodiscard]] StageParameters stage_parameters(const Scenario&, const Layout&, std::int64_t rank);

/// How the plan cuts a layer's matrices.
[[nodiscard]] models::Cut cut_of(const Plan&);

}  // namespace forerun::sim
