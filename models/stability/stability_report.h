#pragma once

/// Will the run survive: what would end or interrupt it, how probably and how far along, why, and
/// which remedy would lower that by how much.
///
/// Three ways to fail: attention logits that grow until the softmax breaks (the run is lost), a
/// learning rate above what the size bears (lost), a loss spike that does not heal (rolled back).
/// The band of a probability is the 10th to the 90th percentile over draws of all constants within
/// their ranges (stream "stability/constants"), the probability their mean. Progress is where half
/// of the runs that fail this way have failed. The remedies are tried one at a time, at the same
/// draws, and only those that the run does not use already.
///
/// Order of magnitude only: see attention_logits.h and spike_hazard.h. Not judged: data, hardware,
/// routers of experts, output logits, depth at initialisation (signal_propagation.h).

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/statistics.h"
#include "models/stability/constants.h"
#include "models/stability/spike_hazard.h"
#include "models/stability/stability_case.h"

namespace forerun::stability {

enum class Failure : std::uint8_t { attention_logits, learning_rate, diverging_spike };
inline constexpr std::array<Choice<Failure>, 3> kFailures{{
    {"attention logits", Failure::attention_logits},
    {"learning rate", Failure::learning_rate},
    {"diverging spike", Failure::diverging_spike},
}};
[[nodiscard]] inline std::string_view name(Failure f) { return name_in(kFailures, f); }

struct Remedy {
  std::string what;        ///< "QK-norm", "half the learning rate" ...
  double probability = 0;  ///< of the failure with it
  bool operator==(const Remedy&) const = default;
};

struct Finding {
  Failure failure = Failure::attention_logits;
  double probability = 0;
  Interval band;
  double median_progress = 0;    ///< of runs that fail so; 0 to 1
  Interval progress_band;        ///< 10th and 90th percentile of those
  std::string why;               ///< the numbers, at the constants' own values
  std::vector<Remedy> remedies;  ///< that lower it by a twentieth or more, the strongest first
};

struct StabilityReport {
  std::vector<Finding> findings;  ///< one of each failure, the likeliest first
  double lost = 0;                ///< probability that logits or learning rate end the run
  Interval lost_band;
  double lost_progress = 0;  ///< median, of runs that are lost
  SpikeRates expected;       ///< over the run, at the constants' own values
  Interval gradient_spikes;  ///< 10th to 90th percentile of their expected number
  Interval loss_spikes, diverging_spikes;
  double competition = 0;
  bool alpha_assumed = false;  ///< several modalities and no alpha_ij given
  std::int64_t draws = 0;
  std::uint64_t seed = 0;
  [[nodiscard]] const Finding& of(Failure) const;
};

/// Nothing, with problems, for a case that check() refuses. Asserts draws above 0.
[[nodiscard]] std::optional<StabilityReport> stability_report(const StabilityCase&,
                                                              const Constants&, std::uint64_t seed,
                                                              Problems&, std::int64_t draws = 200);

}  // namespace forerun::stability
