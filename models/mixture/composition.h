#pragma once

/// Micro-batches drawn from a mixture.
///
/// Packed, a sequence is a window of an endless stream of documents. Its first token is any token
/// of the stream: one of kind k with k's share, in a document drawn in proportion to its length (it
/// holds that many of the tokens). So every position has exactly the mixture's shares, however
/// long documents are beside the sequence.
///
/// Attended (query, key) pairs are counted exactly: in a segment of n tokens n (n + 1) / 2, where a
/// segment is a sequence without its padding, or with masked documents what a sequence holds of one
/// document; above the diagonal n (n - 1) / 2 more in what a sequence holds of a bidirectional
/// item, or of a document up to the end of its last prefix span.

#include <cstdint>

#include "models/mixture/micro_batch.h"
#include "models/mixture/mixture.h"

namespace forerun::models {

/// Micro-batch `micro_batch` of `replica` in step `step`: `sequences` of `sequence` tokens. A pure
/// function: the same answer whatever was asked before. Stream "mixture/replica/R", whose draws are
/// told apart for 2^24 steps of 2^16 micro-batches.
[[nodiscard]] Composition draw(const Mixture&, std::int64_t sequence, std::int64_t sequences,
                               std::uint64_t seed, std::int64_t step, std::int64_t replica,
                               std::int64_t micro_batch);

/// Pairs of plain causal sequences.
[[nodiscard]] double causal_pairs(std::int64_t sequence, std::int64_t sequences);

/// Text alone, each sequence one causal segment: a micro-batch of a model of words.
[[nodiscard]] Composition uniform_text(std::int64_t sequence, std::int64_t sequences);

/// The expected micro-batch, for a step without differences; whole numbers that fill it, by largest
/// remainder. Packed, tokens are shares times the batch, and items and documents follow from them;
/// pairs and segments are those of causal sequences where nothing is masked or sees forward. All
/// else is the mean of 256 draws of one sequence. Of a recording it is the mean of its lines, whose
/// size it has.
[[nodiscard]] Composition mean_composition(const Mixture&, std::int64_t sequence,
                                           std::int64_t sequences);

}  // namespace forerun::models
