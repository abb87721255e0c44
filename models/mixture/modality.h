#pragma once

/// A modality: what a token belongs to. Its items (images, seconds of speech, molecules), how many
/// tokens one becomes, from how large a vocabulary, what is learned of it and who sees whom inside
/// a span. Facts are in models/modalities/NAME.json, each with its source.
///
/// Image-text and speech-text are no modalities but documents made of spans of two
/// (models/mixture/mixture.h).

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/evidence.h"
#include "core/reader.h"

namespace forerun::models {

enum class Objective : std::uint8_t { next_token, diffusion, none };
/// What a span's tokens see beyond the causal mask. `bidirectional`: the tokens of one item see one
/// another (Transfusion's images). `prefix`: all of the document up to the span's end sees itself,
/// as in a prefix language model.
enum class SpanMask : std::uint8_t { causal, bidirectional, prefix };
inline constexpr std::array kSpanMasks = {
    Choice<SpanMask>{"causal", SpanMask::causal},
    Choice<SpanMask>{"bidirectional", SpanMask::bidirectional},
    Choice<SpanMask>{"prefix", SpanMask::prefix}};

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
