#pragma once

/// What a micro-batch keeps on an accelerator between its passes, chunk by chunk. Private to
/// sim/memory.cpp.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "models/activation_memory.h"
#include "models/layer_operations.h"
#include "sim/layout.h"
#include "sim/scenario.h"
#include "sim/variation.h"

namespace forerun::sim {

/// Of one kind of layer.
struct LayerMemory {
  Bytes full{}, layer{};  ///< kept: without recompute, with the plan's
  Bytes put_off{};        ///< kept for weight gradients, where the schedule puts them off
  models::Transients transients;
  double parameters = 0;
};

/// The same for all stages, of micro-batches like `slice`.
struct KeptActivations {
  KeptActivations(const Scenario&, const Layout&, const Variation&, models::Slice slice);

  /// What one micro-batch keeps in a chunk from its forward to its backward pass, on a rank of
  /// `chunks` chunks.
  [[nodiscard]] Bytes activations(const Chunk&, std::int64_t chunks) const;
  /// What one micro-batch's weight gradients hold until they are made.
  [[nodiscard]] Bytes put_off(const Chunk&) const;
  /// Layers of a chunk whose activations are recomputed as the plan says; the others keep all.
  [[nodiscard]] std::int64_t recomputed_layers(const Chunk&) const;
  /// Of layer `i` of a chunk.
  [[nodiscard]] const LayerMemory& kind(const Chunk& chunk, std::int64_t i) const {
    return kinds[layout.kinds.of[static_cast<std::size_t>(chunk.first_layer + i)]];
  }
  /// The most of something over a chunk's layers.
  template <class Of>
  [[nodiscard]] Bytes most(const Chunk& chunk, Of of) const {
    Bytes most{};
    for (std::int64_t i = 0; i < chunk.layers; ++i) most = std::max(most, of(kind(chunk, i)));
    return most;
  }

  const Scenario& scenario;
  const Layout& layout;
  models::KernelChoices choices;
  models::Slice slice, worst;      ///< with the mean load of experts, and the greatest
  std::vector<LayerMemory> kinds;  ///< as Layout::kinds
  Bytes outer{}, whole{};          ///< a hidden state
  double logits = 0;               ///< of one micro-batch on one rank
  double layer_parameters = 0;     ///< of the largest kind

 private:
  void add_kind(const models::Architecture&);
};

}  // namespace forerun::sim
