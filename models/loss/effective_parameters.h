#pragma once

/// What of a model's parameters counts in a law of losses: how many one token of each modality
/// uses, which of them no other modality uses, and how its experts look to a mixture-of-experts
/// law.
///
/// Counted is the decoder: its layers and its last norm, without embeddings, positions, the output
/// matrix, adapters, encoders. A set of weights (of a tower, a group of experts) is *own* to the
/// modalities that it names when the model has modalities that it does not name. In a mixture of
/// transformers all of the decoder but the last norm is own; in MoMa the feed-forward parts are; in
/// a mixture of experts without groups nothing is. Parameters that are not own are those over which
/// modalities may compete.
///
/// Expansion E as the laws have it: feed-forward parameters over those that a token uses; with
/// equal experts and none shared that is count / top_k. Granularity G: the feed-forward width that
/// a token uses (that of the dense model of the same FLOPs) over an expert's (Krajewski et al.
/// 2024, arXiv:2402.07871).
///
/// Not modelled: that tokens of one tower still read the others' keys and values; depth routing (a
/// token counts as passing every layer).

#include <optional>
#include <string>
#include <vector>

#include "models/architecture.h"
#include "models/loss/moe_law.h"

namespace forerun::models {

/// The experts that a modality's tokens choose among.
struct ExpertShape {
  double experts = 1, top_k = 1;  ///< routed
  double shared = 0;              ///< that every token uses
  double granularity = 1;
  double layer_share = 0;      ///< of the layers that have experts; 0: none has
  double expansion = 1;        ///< E of a layer that has experts
  double model_expansion = 1;  ///< E of the feed-forward parameters of all layers together
  bool expert_choice = false, drops = false;
};

struct ModalityParameters {
  std::string modality;  ///< empty: the model tells none apart
  double active = 0;     ///< of the decoder, that one token uses
  double own = 0;        ///< of these, those of sets that not every modality uses
  ExpertShape experts;
  [[nodiscard]] double own_share() const { return own / active; }
};

struct ParametersInLaw {
  double total = 0;      ///< all of the model, as parameters() counts it
  double embedding = 0;  ///< word embedding, positions, their norm, output matrix
  double decoder = 0;
  struct OwnSet {
    std::vector<std::string> modalities;
    double parameters = 0;  ///< whole, with experts that a token does not use
  };
  std::vector<OwnSet> own_sets;
  std::vector<ModalityParameters> modalities;  ///< by name; one nameless if none is told apart
  [[nodiscard]] double own_share() const;      ///< own parameters of all sets over the decoder
  /// That modality, or where the model does not tell it apart: the nameless one, or text's.
  [[nodiscard]] const ModalityParameters& of(const std::string& modality) const;
};
[[nodiscard]] ParametersInLaw parameters_in_law(const Architecture&);

/// The dense model that a modality's experts are worth, by either law. Where there are no experts
/// it is the model itself, without caveats.
struct DenseEquivalent {
  std::optional<double> joint;  ///< parameters; none: no dense model gets there at these tokens
  double routed = 0;
  std::vector<std::string> caveats;  ///< how this model is unlike those that the laws rest on
};
/// The joint law counts embeddings, so it is asked with `embedding` added; the ratio that it gives
/// is then the decoder's (the larger dense model is taken to have embeddings larger alike: of small
/// models, most of which is embedding, the difference would otherwise all be decoder).
[[nodiscard]] DenseEquivalent dense_equivalent(const ModalityParameters&, double embedding,
                                               double tokens, const JointMoeLaw&, const RoutedLaw&);

}  // namespace forerun::models
