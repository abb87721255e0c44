#pragma once

/// What one micro-batch is made of, drawn from a mixture.

#include <cstdint>
#include <vector>

#include "models/mixture/mixture.h"

namespace forerun::models {

struct Composition {
  std::vector<std::int64_t>
      tokens;                ///< by modality, as Mixture::modalities; with padding the batch
  std::int64_t padding = 0;  ///< tokens that are nothing's
  std::int64_t documents = 0;
  /// Attended (query, key) pairs, exactly: in a sequence of n tokens n (n + 1) / 2, the same of
  /// each document where documents are masked, and n (n - 1) / 2 more in a bidirectional span of n.
  double pairs = 0;
  bool operator==(const Composition&) const = default;
};

/// Micro-batch `micro_batch` of `replica` in step `step`: `sequences` of `sequence` tokens. A pure
/// function: the same answer whatever was asked before.
[[nodiscard]] Composition draw(const Mixture&, std::int64_t sequence, std::int64_t sequences,
                               std::uint64_t seed, std::int64_t step, std::int64_t replica,
                               std::int64_t micro_batch);

/// Pairs of plain causal sequences.
[[nodiscard]] double causal_pairs(std::int64_t sequence, std::int64_t sequences);

/// The mean of a fixed number of draws, for a step without differences: tokens rounded so that they
/// fill the micro-batch.
[[nodiscard]] Composition mean_composition(const Mixture&, std::int64_t sequence,
                                           std::int64_t sequences);

}  // namespace forerun::models
