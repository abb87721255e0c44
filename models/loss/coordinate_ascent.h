#pragma once

/// Coordinate ascent: small mixed-modal models learn their modalities in turn. One stands still
/// while the others fall faster, then it catches up while they stand still; the mixture's mean
/// never leaves its smooth course (Aghajanyan et al. 2023, arXiv:2301.03728, section 5: plateaus in
/// turn, "smooth" averages, less of it with N, correlated with alpha_ij and not with beta_ij).
///
/// A turn of modality a, from step s1: until s2 its loss is held where it was, and what it would
/// have lost, w_a (L_a(s1) - L_a(s)), the others lose beside their own, in proportion to what they
/// lose; from s2 each of the others is held until its own smooth course reaches it, and a gets what
/// they don't lose. So at every step sum_i w_i (gated_i - smooth_i) = 0, and after a turn every
/// modality is on its course again; turns that would not end by the end of the run are cut short.
///
/// How much of the run modality i stands still of its own accord:
///
///   flat_i = slope sum_j 2 w_j max(0, (N_c / N)^alpha_ij - 1),  at most half
///
/// in plateaus of `plateau` updates, at times and in an order drawn from a named stream. That it
/// depends on alpha_ij and N is published; the form, the sign (more where alpha_ij is larger) and
/// slope, N_c and plateau are ASSUMED (models/laws/coordinate_ascent.json), set so that speech in a
/// 2.7B speech-text model stands still for about 15,000 of 45,000 updates and at 30B never. A
/// modality whose pairs have no alpha is not gated.
///
/// Not modelled: what sets a plateau off, partial plateaus, gradient norms.

#include <cstdint>
#include <string>
#include <vector>

#include "core/random.h"
#include "models/loss/trajectory.h"

namespace forerun::models {

struct AscentLaw {
  double slope = 0;       ///< of the flat share
  double parameters = 0;  ///< N_c
  double plateau = 0;     ///< updates
  bool operator==(const AscentLaw&) const = default;
};
/// The constants of a law of form "coordinate_ascent"; each that is not there is a problem.
[[nodiscard]] AscentLaw ascent_law(const Law&, const ConstantValues&, Problems&);

/// flat_i of each modality of a mixture law.
[[nodiscard]] std::vector<double> flat_shares(const AscentLaw&, const InteractionLaw&,
                                              double parameters, const std::vector<double>& shares);

struct Plateau {
  std::size_t modality = 0;
  double from = 0, to = 0;  ///< steps
  bool operator==(const Plateau&) const = default;
};
struct Ascent {
  Trajectory gated;
  std::vector<Plateau> plateaus;   ///< by their beginning; also those of the others' turns
  std::vector<double> flat_share;  ///< of the run that each modality stood still
};
/// `flat` as flat_shares() gives it; `plateau` in steps of this run. Plateaus shorter than a 64th
/// of the run are drawn as fewer, that long: the course has no finer knots.
[[nodiscard]] Ascent coordinate_ascent(const RunCourse&, const Trajectory& smooth,
                                       const std::vector<double>& flat, double plateau,
                                       const Stream&);

}  // namespace forerun::models
