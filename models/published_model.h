#pragma once

/// The model of a published result, as a row of tests/published/rows/ states it. A row gives the
/// shape; what it leaves out (positions, activation, norm, biases, tied embeddings) is taken from
/// the zoo entry of that name, else from the blocks that such shapes have: Llama's where the
/// feed-forward is gated, GPT-2's where it is not. Such fields are `assumed`, with the reason as
/// their source.
///
/// Keys that are not known are not refused here: rows are other people's records, and a remark in
/// one must not keep it from being simulated.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/reader.h"
#include "models/architecture.h"

namespace forerun::models {

/// The zoo by the names that publications use. Loads every entry once.
class PublishedModels {
 public:
  /// Throws Error if a zoo entry can't be read.
  PublishedModels();
  /// The entry of which one of the published names begins `name`, letters' case apart; the longest
  /// such beginning wins. Null if there is none.
  [[nodiscard]] const Architecture* find(std::string_view name) const;
  /// Whether a model of that kind and name can be read: dense and with experts from the row, others
  /// from the zoo.
  [[nodiscard]] bool knows(std::string_view kind, std::string_view name) const;
  /// Reads a row's "model" object, of kind "dense" or "moe"; another kind must be the zoo's, by its
  /// name, and is taken from there whole. A learned position table gets `seq_len` rows.
  [[nodiscard]] Architecture read(Reader& model, std::int64_t seq_len) const;

 private:
  std::vector<Architecture> zoo_;
};

}  // namespace forerun::models
