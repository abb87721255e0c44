#pragma once

/// What documents look like: kinds of document, each a share of all tokens and a list of spans of
/// modalities, perhaps repeated (interleaved) or with its first repetition in the other order.
///
/// Sequences are packed: a stream of documents, cut into sequences, so that one begins and ends
/// inside documents. With `pads` each document is a sequence of its own, cut or filled up. Spans
/// have a number of tokens or of items, uniform between two bounds.
///
/// A model's names may differ from the modalities': "image" of a model with patches is
/// image-patches. A span may therefore say `as` which of the model's its tokens are.
///
/// Ready ones are models/mixtures/NAME.json.

#include <cstdint>
#include <string>
#include <vector>

#include "core/reader.h"

namespace forerun::models {

struct SpanSpec {
  std::string modality;              ///< of models/modalities
  std::size_t index = 0;             ///< into Mixture::modalities
  std::int64_t least = 1, most = 1;  ///< tokens, or items
  double item_tokens = 0;            ///< of an item; 0: the bounds are tokens
  bool bidirectional = false;
  [[nodiscard]] double mean_tokens() const;
};

struct DocumentKind {
  std::string name;
  double share = 0;  ///< of tokens; all kinds' sum to 1
  std::vector<SpanSpec> spans;
  std::int64_t least_repeats = 1, most_repeats = 1;
  double reversed = 0;  ///< probability that the spans come in the other order
  [[nodiscard]] double mean_tokens() const;
};

struct Mixture {
  std::string name;
  std::vector<DocumentKind> kinds;
  bool mask_documents = false;  ///< tokens see their own document only
  bool pads = false;
  std::vector<std::string> modalities;  ///< that occur, as the model names them, sorted
};

/// Reads a scenario's "mixture": {"base": "chameleon"}, or its own kinds. Refuses shares that do
/// not sum to 1 within 1e-6, and modalities that there are not, with the nearest.
[[nodiscard]] Mixture read_mixture(Reader&);
[[nodiscard]] std::string mixture_json(const Mixture&);
[[nodiscard]] Mixture load_mixture(const std::string& name);
[[nodiscard]] std::vector<std::string> mixture_names();
/// Expected share of tokens of each of the mixture's modalities.
[[nodiscard]] std::vector<double> mean_shares(const Mixture&);

/// Two kinds of document, text and images, so that `share` of the tokens are images'.
[[nodiscard]] Mixture image_share(double share);

}  // namespace forerun::models
