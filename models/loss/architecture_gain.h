#pragma once

/// How much sooner a modality reaches the dense model's loss when the architecture gives it weights
/// of its own: the fraction f of the dense model's steps after which a mixture of transformers or
/// of experts has the loss that the dense model of equal FLOPs ends with.
///
///   ln(1 / f) = kappa u (x / 1000)^mu ln(1 / w)
///             + lambda u_e (x / 1000)^mu_e ln(Eh / Eh(1)) / ln(Eh(4) / Eh(1))
///
/// x = D / N tokens a parameter; u the modality's own decoder parameters, and u_e those of the
/// decoder times the share of layers with experts, each over decoder + e x embedding parameters.
///
/// First term, towers: in shared weights a modality's gradient is diluted to its share w of the
/// tokens, and what the optimiser normalises is the sum; weights of its own take full-sized steps.
/// kappa = 1 would be complete dilution: steps needed are w of the dense model's. Second term,
/// experts: more parameters for every modality alike, saturating in their number as Eh does
/// (moe_law.h). Both gains multiply (hybrids). Both shrink with parameters and grow with tokens:
/// what has seen few tokens for its size gains little.
///
/// Constants: models/laws/step_matching.json, fitted on published fractions of text and image at
/// 37M to 880M (Liang et al. 2024, arXiv:2411.04996, figures 6, 9, 18, 24, 25) by
/// tests/laws/fit_step_matching; its residuals, and predictions for what it did not see, are in
/// tests/laws/step_matching.md. On validation data ln(1 / f) is
/// `validation` times that on training data.
///
/// Why not a smaller A_ij / N^alpha_ij, as the interaction law would have it: the fractions of text
/// (w = .64, f = .61), image (.36, .27) and speech (.14, .15) at one size lie on one curve in w,
/// and fractions of steps are all that was published; they don't tell which term of a law shrinks.
/// Not modelled: objectives other than next token (Transfusion's text gains next to nothing beside
/// diffusion), routers that leak the future on training data (expert choice is worse on
/// validation images below a billion parameters), depth routing, sparse upcycling.

#include <map>
#include <string>

#include "models/loss/effective_parameters.h"
#include "models/loss/law.h"

namespace forerun::models {

struct ArchitectureGain {
  double kappa = 0, mu = 0;  ///< of towers
  double lambda = 0, mu_experts = 0;
  double embedding_weight = 0;  ///< e
  double validation = 1;
  bool operator==(const ArchitectureGain&) const = default;
};
/// The constants of a law of form "step_matching"; each that is not there is a problem.
[[nodiscard]] ArchitectureGain architecture_gain(const Law&, const ConstantValues&, Problems&);

/// What the law needs of a model and a modality.
struct GainInput {
  double decoder = 0, embedding = 0;  ///< parameters of the dense model of equal FLOPs
  double own_share = 0;               ///< of the decoder that is this modality's own; 0: dense
  double expert_share = 0;            ///< of the layers that have experts; 0: none
  double expansion = 1;               ///< E
  double share = 1;                   ///< w of the tokens
  double tokens = 0;                  ///< D of the run, all modalities
};
/// Of modality `name` of this model in a mixture: `shares` of `tokens` by modality. A modality's w
/// is the share of all that use its set of weights.
[[nodiscard]] GainInput gain_input(const ParametersInLaw&, const std::string& name,
                                   const std::map<std::string, double>& shares, double tokens);

/// f, in (0, 1]; 1 for a dense model or a modality that is alone. Asserts what it needs above zero.
[[nodiscard]] double step_fraction(const ArchitectureGain&, const GainInput&, bool on_validation);

}  // namespace forerun::models
