#pragma once

/// The loss of each modality along a run, from the law's end point back:
///
///   L_i(s) = F_i + (T_i - n_i r_ref) q_i(s)^-beta_i + n_i felt(s)
///   q_i(s) = (p_i(s) + p0_i) / (1 + p0_i)
///
/// F_i is what more tokens would not take away (floor, parameters, what the other modalities
/// change), T_i the law's token term at the run's end (B_i / D_i^beta_i after repetition), p_i the
/// modality's progress and felt the rate as the loss feels it (run_course.h), n_i the noise of a
/// peak learning rate in nats and r_ref the felt rate at the end of the law's own schedule. So the
/// curve ends at the law's loss on the law's schedule, whatever the constants; ends higher where
/// the rate is still up, and lower where it was up for longer and then decayed. p0_i is chosen so
/// that the curve starts at the loss of a fresh model.
///
/// Noise: n_i = `noise` L_i(end), the amplitude B eta_peak of the multi-power law over the loss
/// that its runs ended with (Luo et al. 2025); that it is so for other sizes and modalities is
/// assumed.
///
/// The law speaks of the ends of runs: what the other modalities change is held at its end value
/// through the run. (Published ratios of a pair rise by 6 % along a 350M run and fall by 16 % along
/// one of 30B: Aghajanyan et al. 2023, figure 5.) Not modelled: forgetting, the noise of single
/// batches, anything that makes one modality wait for another (coordinate_ascent.h) and spikes
/// (models/stability).

#include <vector>

#include "models/loss/interaction_law.h"
#include "models/loss/run_course.h"

namespace forerun::models {

struct TrajectoryModality {
  ModalityLoss end;  ///< the law's, at the run's end
  double beta = 0;   ///< of its tokens
  double start = 0;  ///< loss of a fresh model, nats
  /// Each of its tokens does the work of so many: what towers and experts are worth (gain_for).
  double gain = 1;
};

struct Trajectory {
  std::vector<std::vector<double>> loss;  ///< by modality and knot of the course; 0 without share
  std::vector<double> mean;               ///< weighted by the shares of the whole run
};

/// `noise` as a share of each modality's end loss. Asserts a start above the end.
[[nodiscard]] Trajectory trajectory(const RunCourse&, const std::vector<TrajectoryModality>&,
                                    double noise);

/// The `gain` with which a modality reaches, after `fraction` of its tokens, the loss that it ends
/// with at a gain of 1. At most kMostGain: where noise alone stands between the two, no number of
/// tokens gets there so early.
inline constexpr double kMostGain = 1e3;
[[nodiscard]] double gain_for(const RunCourse&, std::size_t modality, const TrajectoryModality&,
                              double noise, double fraction);

/// The first step at which a curve, straight between knots, is at `target` or below; nothing if it
/// never is.
[[nodiscard]] std::optional<double> step_reaching(const RunCourse&,
                                                  const std::vector<double>& curve, double target);

}  // namespace forerun::models
