#pragma once

/// What documents look like: kinds of document, each a share of all tokens and a list of spans of
/// modalities, perhaps repeated (interleaved) or with the spans in the other order.
///
/// Sequences are packed: a stream of documents, cut into sequences, so that one begins and ends
/// inside documents. With `pads` each document is a sequence of its own, cut or filled up; shares
/// are then those before cutting. A span has a number of tokens or of items; tokens that mark where
/// an item or a document begins are left out.
///
/// A model's names may differ from the modalities': "image" of a model with patches is
/// image-patches. A span may therefore say `as` which of the model's its tokens are.
///
/// A law of losses may speak of whole corpora as modalities: image-text is one of the interaction
/// law's seven (Aghajanyan et al. 2023). A kind of document says which its tokens belong to.
///
/// Ready ones are models/mixtures/NAME.json. In place of documents to draw, a mixture may be a
/// recording of micro-batches (recording.h); it has no kinds then.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/reader.h"
#include "models/mixture/modality.h"
#include "models/mixture/recording.h"

namespace forerun::models {

/// A whole number, drawn: uniform from `least` to `most`; or, where `spread` is not 0, log-normal
/// with mean `mean` and `spread` the standard deviation of its logarithm, rounded up or down at
/// random so that the mean stays.
struct Length {
  std::int64_t least = 1, most = 1;
  double log_normal_mean = 0, spread = 0;
  [[nodiscard]] double mean() const;
  bool operator==(const Length&) const = default;
};

struct SpanSpec {
  std::string modality;    ///< of models/modalities
  std::string as;          ///< the model's name of it
  std::size_t index = 0;   ///< of `as` in Mixture::modalities
  Length length;           ///< tokens, or items
  double item_tokens = 0;  ///< of an item; 0: lengths are tokens. n items of t tokens are n t,
                           ///< rounded up or down at random where that is no whole number
  SpanMask mask = SpanMask::causal;
  [[nodiscard]] double mean_tokens() const;
  bool operator==(const SpanSpec&) const = default;
};

struct DocumentKind {
  std::string name;
  std::string law_modality;  ///< which modality of a law its tokens are, whatever their span
  double share = 0;          ///< of tokens; all kinds' sum to 1
  std::vector<SpanSpec> spans;
  std::int64_t least_repeats = 1, most_repeats = 1;
  double reversed = 0;  ///< probability that in all repetitions the spans come in the other order
  [[nodiscard]] double mean_tokens() const;
  bool operator==(const DocumentKind&) const = default;
};

struct Mixture {
  std::string name;
  std::vector<DocumentKind> kinds;
  bool mask_documents = false;  ///< tokens see their own document only
  bool pads = false;
  std::vector<std::string> modalities;  ///< that occur, as the model names them, sorted
  std::optional<Recording> recording;   ///< in place of kinds
  bool operator==(const Mixture&) const = default;
};

/// Reads a scenario's "mixture": {"base": "chameleon"}, or its own kinds. Refuses shares that do
/// not sum to 1 within 1e-9, and modalities that there are not, with the nearest.
[[nodiscard]] Mixture read_mixture(Reader&);
/// Reads a scenario's {"recording": NAME} for micro-batches of `sequences` of `sequence` tokens of
/// a model that knows `modalities`. NAME is one of models/recordings, or the path of a file.
[[nodiscard]] Mixture read_recorded_mixture(Reader&, std::int64_t sequence, std::int64_t sequences,
                                            const std::vector<std::string>& modalities);
[[nodiscard]] std::string mixture_json(const Mixture&);
[[nodiscard]] Mixture load_mixture(const std::string& name);
[[nodiscard]] std::vector<std::string> mixture_names();
/// Expected share of tokens of each of the mixture's modalities; of a recording, the mean share.
[[nodiscard]] std::vector<double> mean_shares(const Mixture&);
/// Share of tokens of each law modality that has any. A recording does not say which tokens are of
/// one document: there each modality is its own.
[[nodiscard]] std::map<std::string, double> law_shares(const Mixture&);

/// Two kinds of document, text of 64 to 4,096 tokens and images of 1,024, so that `share` of the
/// tokens are images'.
[[nodiscard]] Mixture image_share(double share);

/// The mixture with so much of the kinds richest in `modality`, as the model names it, added (or,
/// for less, of the poorest) that it has `share` of the tokens: shares w become (1 - t) w + t w*,
/// w* those of the richest kinds alone. Throws Error if the modality does not occur, if no shares
/// of the kinds give it so much, or if the mixture is a recording.
[[nodiscard]] Mixture with_share(Mixture, std::string_view modality, double share);

}  // namespace forerun::models
