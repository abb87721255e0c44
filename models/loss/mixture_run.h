#pragma once

/// Where a run's losses go: the law's end point of every modality with its band, the trajectory
/// there under the recipe, plateaus in turn, what towers or experts gain, the competition barrier.
/// What `forerun loss` and `forerun run` answer; how long steps take is added by sim/.
///
/// Bands are the 10th to 90th percentile over draws of all constants of all laws used (streams
/// "law/..."), each draw with its own plateaus (stream "coordinate ascent"), and with the law's
/// scatter of single runs, one normal number a draw and modality, where the law states it.
/// Constants without a stated spread do not vary: the answer says how many those are.
///
/// A modality with weights of its own stands still for that much less of the run as it shares fewer
/// (its own share of the decoder): assumed.
///
/// Assumed in every answer: closure and split (interaction_law.h), the noise of the learning rate
/// (trajectory.h), that repeated tokens of any modality are worth what text's are (repetition.h).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/statistics.h"
#include "models/loss/architecture_gain.h"
#include "models/loss/coordinate_ascent.h"
#include "models/loss/law.h"

namespace forerun::models {

/// The laws beside that of the losses.
struct CompanionLaws {
  Law schedule, repetition, ascent, gain;
};
[[nodiscard]] CompanionLaws load_companion_laws(const std::string& schedule);

struct MixtureRun {
  Law law;                              ///< of form "interaction" or "power"
  std::vector<std::string> modalities;  ///< as the law names them, sorted
  std::vector<MixtureStage> stages;
  std::vector<double> unique;  ///< tokens of each modality; 0: no end
  std::vector<double> start;   ///< loss of a fresh model, nats: ln of the vocabulary
  double parameters = 0;       ///< N of the law: of the dense model of equal FLOPs
  Recipe recipe;
  double tokens = 0, batch_tokens = 0;
  /// Of each modality; own_share and expert_share 0 for a dense model.
  std::vector<GainInput> gains;
  std::uint64_t seed = 1;
  std::int64_t draws = 200;
  int threads = 0;  ///< 0: one for each processor; the answer is the same for any number
};

struct Band {
  double low = 0, middle = 0, high = 0;  ///< 10th, 50th and 90th percentile
};

struct ModalityAnswer {
  std::string name;
  double share = 0, tokens = 0, passes = 0;  ///< passes: 0 where nothing says how many there are
  double effective_tokens = 0;
  ModalityLoss end;  ///< at the constants' own values, architecture included
  double dense_end = 0;
  Band band;  ///< of the end
  double flat_share = 0;
  double longest_plateau = 0;        ///< steps
  double step_fraction = 1;          ///< of the dense model's steps to its end, training data
  std::optional<double> dense_step;  ///< where this run reaches the dense model's end
};

struct PairAnswer {
  std::size_t first = 0, second = 0;
  double interaction = 0;  ///< P at this run's parameters and tokens; below zero synergy
  Band band;
  double synergy_probability = 0;
  std::optional<double> barrier_parameters;  ///< at this run's tokens
  std::optional<double> barrier_tokens;      ///< at this run's parameters
  std::optional<BarrierPoint> cheapest;
  Band cheapest_parameters, cheapest_tokens;  ///< of the draws that have one
};

struct MixtureAnswer {
  RunCourse course;
  Trajectory smooth;  ///< at the constants' own values
  Ascent ascent;      ///< the same with plateaus
  std::vector<ModalityAnswer> modalities;
  double mean = 0, dense_mean = 0;
  Band mean_band;
  /// By modality, then the mean; each with a band a knot.
  std::vector<std::vector<Band>> bands;
  std::vector<PairAnswer> pairs;
  Evidence evidence = Evidence::measured;  ///< the weakest of what went in
  std::vector<std::string> warnings;       ///< outside a law's domain, caveats
  std::vector<std::string> assumptions;
  std::size_t without_spread = 0;  ///< constants of the losses' law whose spread nobody states
};

/// Nothing, with every constant that is missing, if a law lacks one that is needed, or with every
/// modality that the law gives a loss below zero.
[[nodiscard]] std::optional<MixtureAnswer> mixture_answer(const MixtureRun&, const CompanionLaws&,
                                                          Problems&);

}  // namespace forerun::models
