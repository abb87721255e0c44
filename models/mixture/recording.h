#pragma once

/// Compositions that were seen, in place of drawn ones: a file of JSON lines, one a micro-batch,
///
///   {"tokens": {"text": 3000, "image": 1096}}
///   {"tokens": {"text": 4000}, "padding": 96, "items": {"image": 0}, "documents": 7, "pairs": 9e6}
///
/// Tokens and padding sum to the micro-batch. Without `pairs` its sequences hold equally many
/// tokens and each is one causal segment; with them the mean segment is that of causal segments
/// with so many pairs. Items and documents are 0 where they are not stated. The first line may say
/// instead where the others come from, and how sure that is:
///
///   {"source": "the loader's log of run 7", "evidence": "measured"}
///
/// Ready ones are models/recordings/NAME.jsonl.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/evidence.h"
#include "core/reader.h"
#include "models/mixture/micro_batch.h"

namespace forerun::models {

struct Recording {
  std::string name;                       ///< of models/recordings, or the file's path
  std::uint64_t hash = 0;                 ///< of the file's text
  std::string source;                     ///< empty: the file does not say
  std::optional<Evidence> evidence;       ///< nothing: the file does not say
  std::vector<std::string> modalities;    ///< that occur, sorted: those of the compositions
  std::vector<Composition> compositions;  ///< in the file's order, at least one
  /// The file's lines are dealt to step 0's replica 0, its micro-batches first, then to replica 1
  /// ...; after the last line comes the first again.
  [[nodiscard]] const Composition& at(std::int64_t step, std::int64_t replica,
                                      std::int64_t micro_batch, std::int64_t replicas,
                                      std::int64_t micro_batches) const;
  bool operator==(const Recording&) const = default;
};

/// Reads the text of such a file for micro-batches of `sequences` of `sequence` tokens of a model
/// that knows `modalities`. Problems say "line N: POINTER"; after 20 wrong lines no more are read.
[[nodiscard]] std::optional<Recording> read_recording(std::string_view text, std::int64_t sequence,
                                                      std::int64_t sequences,
                                                      const std::vector<std::string>& modalities,
                                                      Problems&);

/// Reads the recording that the field `key` names: one of models/recordings, or a file's path. All
/// that is wrong with it is a problem of the field.
[[nodiscard]] std::optional<Recording> load_recording(Reader&, std::string_view key,
                                                      std::int64_t sequence, std::int64_t sequences,
                                                      const std::vector<std::string>& modalities);

[[nodiscard]] std::vector<std::string> recording_names();

}  // namespace forerun::models
