#pragma once

/// What one micro-batch is made of, whether drawn (composition.h) or recorded (recording.h).

#include <cstdint>
#include <vector>

namespace forerun::models {

struct Composition {
  std::vector<std::int64_t>
      tokens;                       ///< by modality, as Mixture::modalities; with padding the batch
  std::int64_t padding = 0;         ///< tokens that are nothing's
  std::vector<std::int64_t> items;  ///< whose first token is in the batch, by modality; of spans
                                    ///< that are given in items
  std::int64_t documents = 0;  ///< of which a sequence holds tokens; one cut in two counts twice
  double pairs = 0;
  double mean_segment = 0;  ///< tokens of the segment that a token is in, mean over tokens
  bool operator==(const Composition&) const = default;
};

}  // namespace forerun::models
