#pragma once

/// The constants of attention logits, spikes and divergence: models/stability/constants.json, each
/// with a value, the least and the most it may be, evidence and source. What each means stands
/// there, beside its source. Few are published; bands come from drawing all within their ranges.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"
#include "core/random.h"

namespace forerun::stability {

struct Constant {
  double value = 0, least = 0, most = 0;
};

struct Constants {
  Constant critical_rate;
  Constant critical_rate_exponent;
  Constant qk_norm_rate_gain;
  Constant critical_rate_spread;
  Constant logit_divergence;
  Constant logit_threshold;
  Constant logit_threshold_spread;
  Constant logit_rate_exponent;
  Constant logit_floor;
  Constant qk_norm_gain;
  Constant competition_growth;
  Constant competition_size_exponent;
  Constant competition_rate_sum;
  Constant tower_competition;
  Constant reference_parameters;
  Constant reference_rate;
  Constant gradient_spike_rate;
  Constant spike_rate_exponent;
  Constant critical_spike_rate;
  Constant critical_spike_exponent;
  Constant loss_spike_share;
  Constant mixture_spikes;
  Constant reference_alpha;
  Constant qk_norm_spikes;
  Constant norm_order_spikes;
  Constant z_loss_spikes;
  Constant embedding_norm_spikes;
  Constant dropout_spikes;
  Constant wide_initialisation_exponent;
  Constant warm_up_reference;
  Constant warm_up_exponent;
  Constant beta2_exponent;
  Constant large_epsilon_spikes;
  Constant fp16_spikes;
  Constant fp8_spikes;
  Constant fp32_spikes;
  Constant clip_exponent;
  Constant no_clip;
  Constant amplitude;
  Constant healing_steps;
  Constant healing_spread;
  Constant diverging_share;
  Constant rewind_steps;
  Constant skip_least;
  Constant skip_most;
  Constant batch_slope;
  Constant reference_b;
  std::map<std::string, Evidence> evidence;
  std::map<std::string, std::string> source;
};

[[nodiscard]] std::optional<Constants> read_constants(const std::string& json_text, Problems&);
/// models/stability/constants.json.
[[nodiscard]] Constants load_constants();

/// Draw `draw` of the stream: every constant anew within its range, independently of the others.
/// Half of the draws lie below the value and half above, uniform in the logarithm (or, where the
/// range reaches 0 or below, in the constant itself).
[[nodiscard]] Constants drawn(const Constants&, const Stream&, std::uint64_t draw);

/// By name, for tables, in the file's order.
[[nodiscard]] std::vector<std::pair<std::string, Constant>> listed(const Constants&);

}  // namespace forerun::stability
