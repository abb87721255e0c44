#pragma once

/// The largest attention logit along a run, and the probability that it has ended the run.
///
///   eta_c(N) = critical_rate (N / 1e9)^-s, times qk_norm_rate_gain with QK-norm
///   z(t)     = [floor + 1e4 (eta / eta_c)^p sqrt(S(t) / S(T))] exp(g C (N / 8e9)^q S(t) / S_c)
///   with QK-norm z <= sqrt(head_dim) gain^2: of vectors with elements of mean square gain^2, the
///   product over sqrt(head_dim) can't be more
///
/// S is the sum of learning rates, T the end, eta the peak rate, C how much modalities compete
/// (competition() of stability_case.h, less where they have attention matrices of their own). The
/// first factor is what too high a rate does to any model (Wortsman et al. 2023: past 1e4 all runs
/// diverged), the second the slow growth of norms in mixed-modal training (Chameleon: softmax is
/// blind to a common shift, so modalities that share weights raise their norms against each other).
///
///   P(run lost by t) = Phi((ln z(t) - ln logit_threshold) / logit_threshold_spread)
///
/// An order of magnitude only: z's slopes are `assumed` (no fit was published), g was set once from
/// Chameleon's 7B. Not modelled: single layers and heads, weight decay, epsilon, the logits of the
/// output (z-loss acts on those), growth of norms in the feed-forward part.

#include "models/stability/constants.h"
#include "models/stability/stability_case.h"

namespace forerun::stability {

/// Learning rate at which a model of that size diverges.
[[nodiscard]] double critical_rate(double parameters, bool qk_norm, const Constants&);

/// competition(), less where modalities have attention matrices of their own.
[[nodiscard]] double competing(const StabilityCase&, const Constants&);

/// What no logit of a model with QK-norm exceeds.
[[nodiscard]] double normed_logit_bound(double head_dim, double gain);

/// z at a point of the course.
[[nodiscard]] double largest_logit(const StabilityCase&, const Course&, const CoursePoint&,
                                   const Constants&);

/// P(lost by there).
[[nodiscard]] double lost_to_logits(const StabilityCase&, const Course&, const CoursePoint&,
                                    const Constants&);

/// P that the peak rate is above what this run bears.
[[nodiscard]] double lost_to_rate(const StabilityCase&, const Course&, const Constants&);

}  // namespace forerun::stability
