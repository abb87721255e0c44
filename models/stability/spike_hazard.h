#pragma once

/// Spikes of the gradient norm as a hazard: their expected number a step, which of them show in the
/// loss, which of those do not heal, and draws of all three along a run.
///
///   gradient spikes a step  h = h0 (eta/eta_c / ref)^k X F + c (eta(t)/eta_c')^m
///   loss spikes a step          loss_spike_share times the first term, plus the second
///   diverging share             p = d + (1 - d) (eta(t)/eta_c')^2, at most 1, times the clip's
///   X = ln N / ln N_ref (1 + mixture_spikes C alpha_ref / alpha_ij)
///
/// h is 1 at most, the shares of its parts kept: a step has one gradient.
///
/// eta_c is the critical rate without and eta_c' with what QK-norm adds; eta is the peak (spikes of
/// the one public log that was counted do not fall with its falling rate), eta(t) the rate there. X
/// is Aghajanyan's log(N) / alpha_ij, which becomes log N for one modality. F is the product of
/// what softens or feeds spikes: QK-norm, norm order, z-loss, embedding norm, dropout, wide
/// initialisation, warm-up, beta2, epsilon, number format; each a constant.
///
/// A loss spike has an amplitude (exponential) and heals within a time (log-normal). One that
/// diverges rolls the run back: `rewind` steps, then a number of batches is skipped; the same
/// batches from another checkpoint do not spike (PaLM), so what follows is drawn as if nothing had
/// been.
///
/// ORDER OF MAGNITUDE ONLY. The base is one log's count, nearly all else is `assumed`, published
/// counts use definitions that differ (some count restarts), and published runs of one size differ
/// by a factor of 40. docs/stability.md has predictions beside them. Not modelled: which batch, bad
/// data, hardware that corrupts, routers of experts, correlation of spikes in time.

#include <cstddef>
#include <vector>

#include "core/random.h"
#include "models/stability/attention_logits.h"
#include "models/stability/constants.h"
#include "models/stability/stability_case.h"

namespace forerun::stability {

/// Expected number a step.
struct SpikeRates {
  double gradient = 0;   ///< all
  double loss = 0;       ///< of them, those that show in the loss
  double diverging = 0;  ///< of those, those that do not heal
};
[[nodiscard]] SpikeRates spike_rates(const StabilityCase&, const Course&, const CoursePoint&,
                                     const Constants&);

/// Of a whole run, in closed form: the rates' integrals over the course.
[[nodiscard]] SpikeRates expected_spikes(const StabilityCase&, const Course&, const Constants&);
/// Those expected up to each point of the course.
[[nodiscard]] std::vector<SpikeRates> spikes_by(const StabilityCase&, const Course&,
                                                const Constants&);

/// What the operator does about a spike.
struct RollbackPolicy {
  bool on_every_loss_spike = false;  ///< as PaLM did; otherwise on those that diverge
  bool operator==(const RollbackPolicy&) const = default;
};

struct SpikeEvent {
  double step = 0;
  bool in_loss = false;
  double amplitude = 0;    ///< nats; 0 if it shows in the gradient only
  double heals_after = 0;  ///< steps; 0 if it does not, or shows in the gradient only
  bool diverged = false;
  bool rolled_back = false;
  double rolled_back_to = 0;  ///< step, where rolled back
  double skipped = 0;         ///< batches
  bool operator==(const SpikeEvent&) const = default;
};

/// What is drawn of one run at most: one that spikes more often is lost long before.
inline constexpr std::size_t kMostSpikes = 100'000;
/// The run's spikes by rising step, the first kMostSpikes of them. Draws of `stream` from 0 on.
[[nodiscard]] std::vector<SpikeEvent> draw_spikes(const StabilityCase&, const Course&,
                                                  const Constants&, const RollbackPolicy&,
                                                  const Stream&);

}  // namespace forerun::stability
