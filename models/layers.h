#pragma once

/// Which layers of a model are alike, and which sets of weights one layer has.
///
/// Layers differ by what they have: experts or a dense feed-forward part, a window or all keys,
/// depth routing, blocks of another shape. Each kind is given as an architecture all of whose
/// layers are like it, so that whatever describes a layer takes just an architecture: there
/// `experts`, `window` and `depth_routing` are set if this layer has them, and nothing is left of
/// `blocks`, `every` or `full_every`.

#include <cstdint>
#include <string>
#include <vector>

#include "models/architecture.h"

namespace forerun::models {

struct LayerKinds {
  std::vector<Architecture> kinds;  ///< in the order in which they first appear; at least one
  std::vector<std::uint8_t> of;     ///< by layer: index into `kinds`
  [[nodiscard]] const Architecture& layer(std::int64_t i) const {
    return kinds[of[static_cast<std::size_t>(i)]];
  }
};
[[nodiscard]] LayerKinds layer_kinds(const Architecture&);

/// "dense", "experts", "window, experts" ...: what is its own, for people.
[[nodiscard]] std::string kind_name(const Architecture& alike);

/// A set of weights that the tokens of some modalities use; no modalities: all tokens do.
struct WeightSet {
  std::vector<std::string> modalities;
  std::int64_t experts = 0;  ///< of a feed-forward set: routed experts; 0: dense
};
/// Query, key, value and output matrices of a layer.
[[nodiscard]] std::vector<WeightSet> attention_sets(const Architecture& alike);
/// Feed-forward parts: towers, groups of experts, and dense ones for towers without a group.
[[nodiscard]] std::vector<WeightSet> feed_forward_sets(const Architecture& alike);
/// Modalities that the model tells apart by towers, groups of experts, adapters or encoders,
/// sorted; empty: none.
[[nodiscard]] std::vector<std::string> modalities_of(const Architecture&);
/// How many sets of norms.
[[nodiscard]] std::int64_t norm_sets(const Architecture& alike);

}  // namespace forerun::models
