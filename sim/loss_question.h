#pragma once

/// The losses and the stability of a scenario's run, as models/loss and models/stability are asked
/// about them, and what their answers mean in hours and dollars.
///
/// N in the law is that of the dense model of equal FLOPs (what a token uses, embeddings included);
/// in a mixture of experts over one modality, the dense model that the joint law holds it worth
/// (moe_law.h). Start: the logarithm of a modality's vocabulary; of diffusion, whose loss is the
/// error of predicting unit noise, 1.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/loss/mixture_run.h"
#include "models/stability/stability_report.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// The law that a scenario's losses follow: the one it names, or for text alone "chinchilla_refit".
/// Nothing for a mixture whose law nobody named.
[[nodiscard]] std::optional<models::Law> loss_law(const Scenario&);

/// Share of tokens by the modalities of a law, over the whole run.
[[nodiscard]] std::map<std::string, double> loss_shares(const Scenario&);

/// Share of tokens by what the model calls their modalities: of "image-text" documents those that
/// are of an image are "image".
[[nodiscard]] std::map<std::string, double> model_shares(const Scenario&);

/// N of the law, and how it came about where it is not the model's own count.
struct LawParameters {
  double count = 0;
  std::vector<std::string> notes;
};
[[nodiscard]] LawParameters law_parameters(const Scenario&);

/// Whether a modality of its mixture is learned by diffusion.
[[nodiscard]] bool is_diffused(const Scenario&);

/// Each modality's part in what towers and experts gain; none where a modality is diffused, which
/// the law of gains (architecture_gain.h) does not speak of.
[[nodiscard]] std::vector<models::GainInput> gain_inputs(
    const Scenario&, const std::vector<std::string>& modalities);

/// Nothing, with problems at the scenario's paths, if it cannot be asked: no tokens, a stage beyond
/// them, a modality that is none of the run's.
[[nodiscard]] std::optional<models::MixtureRun> mixture_run(const Scenario&, const models::Law&,
                                                            Problems&);

/// Nothing, with problems, if the scenario states no peak learning rate or no tokens. `alpha`:
/// the law's exponents of pairs, if it has them.
[[nodiscard]] std::optional<stability::StabilityCase> stability_case(const Scenario&,
                                                                     const models::Law*, Problems&);

}  // namespace forerun::sim
