#pragma once

/// What follows from a plan: which layers each stage holds, and where the ranks of each group lie.
/// Ranks are numbered tensor fastest, then context, then data, then pipeline (Megatron-LM's order).

#include <cstdint>
#include <vector>

#include "hw/collective.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// One model chunk of one pipeline rank.
struct Chunk {
  std::int64_t layers = 0;
  bool embedding = false;  ///< holds the word embedding
  bool head = false;       ///< holds final norm, logits and loss
};

/// chunks[rank][virtual stage]; virtual stage v of rank r is the (v * pipeline + r)-th of the model.
struct Layout {
  std::vector<std::vector<Chunk>> chunks;
  std::int64_t padded_vocab = 0;
  hw::Group tensor, context;
  hw::Group data;          ///< gradients are summed over data x context
  hw::Group shard;         ///< one copy of what is sharded (HSDP: part of data)
  hw::Group replicas;      ///< HSDP: across copies
  hw::Group embedding;     ///< first and last stage, for the tied matrix
  hw::Group pipeline_link; ///< neighbours
  [[nodiscard]] std::int64_t stage_layers(std::int64_t rank) const;
};

/// Layers that do not divide go to the stages in the middle first (the ends hold embedding and loss).
/// With slots for embedding or loss, they count as a layer each and the rest must divide.
[[nodiscard]] Layout make_layout(const Scenario&);

/// Parameters (not bytes) that one tensor rank of pipeline rank `rank` holds, before sharding.
struct StageParameters {
  std::int64_t layers = 0;     ///< of all its layers
  std::int64_t embedding = 0;  ///< word and position embedding, embedding norm
  std::int64_t head = 0;       ///< output matrix (also the copy of a tied one) and final norm
  [[nodiscard]] std::int64_t total() const { return layers + embedding + head; }
};
[[nodiscard]] StageParameters stage_parameters(const Scenario&, const Layout&, std::int64_t rank);

}  // namespace forerun::sim
