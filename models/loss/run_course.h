#pragma once

/// The course of a run apart from any law's constants: at a few hundred knots, the step, the tokens
/// of each modality, the learning rate, the rate as the loss feels it, and how far each modality
/// has come. Every trajectory of a Monte Carlo shares it.
///
/// progress of modality i: its tokens so far, each weighted by the learning rate at which it was
/// trained (a share of the peak) and, once its data repeat, by what a repeated token is worth
/// (repetition.h); over the same sum at the end of the law's own schedule, a cosine to a tenth
/// (assumed of every law).
/// So 1 at the end of a run on that schedule; a run at a constant rate ends further.
///
/// felt rate: the learning rate with the lag of the multi-power law (schedule_law.h, Luo et al.
/// 2025): what noise the rate leaves in the loss. 1 long after a constant peak, the final share
/// long after a decay.
///
/// Not modelled: what a smaller batch of a ramp is worth beyond its tokens, forgetting of a
/// modality that a later stage leaves out.

#include <string>
#include <vector>

#include "models/loss/schedule_law.h"
#include "models/recipe.h"

namespace forerun::models {

/// From `from_tokens` on, the shares of the modalities. Each stage's sum to 1.
struct MixtureStage {
  double from_tokens = 0;
  std::vector<double> shares;
  bool operator==(const MixtureStage&) const = default;
};

struct CourseQuestion {
  Recipe recipe;
  double tokens = 0;                 ///< of the run
  double batch_tokens = 0;           ///< of a full batch
  std::vector<MixtureStage> stages;  ///< by rising from_tokens, the first at 0
  std::vector<double> unique;        ///< tokens of each modality that there are; 0: no end
  double repetition_decay = 0;       ///< R*_D; read only where something repeats
  MultiPower<double> annealing;      ///< its c, beta and gamma; at peaks of `annealing_peak`
  double annealing_peak = 3e-4;
  std::size_t knots = 320;  ///< about so many
};

struct RunCourse {
  double steps = 0;
  std::vector<double> step, tokens;                  ///< by knot; the first 0, the last the end
  std::vector<double> rate, felt_rate;               ///< shares of the peak
  std::vector<std::vector<double>> progress;         ///< by modality and knot
  std::vector<std::vector<double>> modality_tokens;  ///< trained so far
  std::vector<std::vector<double>> shares;           ///< by modality and knot, from it on
  double reference_felt_rate = 0;                    ///< at the end of the law's own schedule
  [[nodiscard]] double share_of(std::size_t modality) const;  ///< over the run
};
/// Asserts a question that makes sense: what people wrote was checked before.
[[nodiscard]] RunCourse run_course(const CourseQuestion&);

/// Steps that `tokens` take with the batch's ramp.
[[nodiscard]] double steps_for(const Recipe&, double tokens, double batch_tokens);

}  // namespace forerun::models
