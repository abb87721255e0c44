#pragma once

/// A modality: what a token belongs to. Its items (images, seconds of speech, molecules), how many
/// tokens one becomes, from how large a vocabulary, what is learned of it and who sees whom inside
/// a span. Facts are in models/modalities/NAME.json, each with its source.
///
/// Image-text and speech-text are no modalities but documents made of spans of two
/// (models/mixture/mixture.h).

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/evidence.h"

namespace forerun::models {

enum class Objective : std::uint8_t { next_token, diffusion, none };
/// Beyond the causal mask: nothing, or all tokens of a span see one another.
enum class SpanMask : std::uint8_t { causal, bidirectional };

struct Modality {
  std::string name;
  std::string item;  ///< "image", "second" ...; empty: tokens only
  double tokens_per_item = 1;
  std::int64_t vocabulary = 0;
  Objective objective = Objective::next_token;
  SpanMask mask = SpanMask::causal;
  bool continuous = false;  ///< vectors, not codes
  std::map<std::string, Evidence> evidence;
  std::map<std::string, std::string> source;
};

/// Throws Error naming the nearest if there is none.
[[nodiscard]] Modality load_modality(const std::string& name);
[[nodiscard]] std::vector<std::string> modality_names();

}  // namespace forerun::models
