#include "models/stability/constants.h"

#include <array>
#include <cmath>

#include "core/file.h"
#include "core/reader.h"
#include "core/sourced_reader.h"

namespace forerun::stability {
namespace {

struct Field {
  const char* name;
  Constant Constants::* member;
};

constexpr std::array<Field, 47> kFields{{
    {"critical_rate", &Constants::critical_rate},
    {"critical_rate_exponent", &Constants::critical_rate_exponent},
    {"qk_norm_rate_gain", &Constants::qk_norm_rate_gain},
    {"critical_rate_spread", &Constants::critical_rate_spread},
    {"logit_divergence", &Constants::logit_divergence},
    {"logit_threshold", &Constants::logit_threshold},
    {"logit_threshold_spread", &Constants::logit_threshold_spread},
    {"logit_rate_exponent", &Constants::logit_rate_exponent},
    {"logit_floor", &Constants::logit_floor},
    {"qk_norm_gain", &Constants::qk_norm_gain},
    {"competition_growth", &Constants::competition_growth},
    {"competition_size_exponent", &Constants::competition_size_exponent},
    {"competition_rate_sum", &Constants::competition_rate_sum},
    {"tower_competition", &Constants::tower_competition},
    {"reference_parameters", &Constants::reference_parameters},
    {"reference_rate", &Constants::reference_rate},
    {"gradient_spike_rate", &Constants::gradient_spike_rate},
    {"spike_rate_exponent", &Constants::spike_rate_exponent},
    {"critical_spike_rate", &Constants::critical_spike_rate},
    {"critical_spike_exponent", &Constants::critical_spike_exponent},
    {"loss_spike_share", &Constants::loss_spike_share},
    {"mixture_spikes", &Constants::mixture_spikes},
    {"reference_alpha", &Constants::reference_alpha},
    {"qk_norm_spikes", &Constants::qk_norm_spikes},
    {"norm_order_spikes", &Constants::norm_order_spikes},
    {"z_loss_spikes", &Constants::z_loss_spikes},
    {"embedding_norm_spikes", &Constants::embedding_norm_spikes},
    {"dropout_spikes", &Constants::dropout_spikes},
    {"wide_initialisation_exponent", &Constants::wide_initialisation_exponent},
    {"warm_up_reference", &Constants::warm_up_reference},
    {"warm_up_exponent", &Constants::warm_up_exponent},
    {"beta2_exponent", &Constants::beta2_exponent},
    {"large_epsilon_spikes", &Constants::large_epsilon_spikes},
    {"fp16_spikes", &Constants::fp16_spikes},
    {"fp8_spikes", &Constants::fp8_spikes},
    {"fp32_spikes", &Constants::fp32_spikes},
    {"clip_exponent", &Constants::clip_exponent},
    {"no_clip", &Constants::no_clip},
    {"amplitude", &Constants::amplitude},
    {"healing_steps", &Constants::healing_steps},
    {"healing_spread", &Constants::healing_spread},
    {"diverging_share", &Constants::diverging_share},
    {"rewind_steps", &Constants::rewind_steps},
    {"skip_least", &Constants::skip_least},
    {"skip_most", &Constants::skip_most},
    {"batch_slope", &Constants::batch_slope},
    {"reference_b", &Constants::reference_b},
}};

Constant constant(Reader& r) {
  Constant c;
  c.value = r.number("value", -1e15, 1e15);
  c.least = r.number("least", -1e15, 1e15);
  c.most = r.number("most", -1e15, 1e15);
  if (c.least > c.value) r.problem("least", "must not be above the value");
  if (c.most < c.value) r.problem("most", "must not be below the value");
  return c;
}

/// Half of the way below the value, half above.
double within(const Constant& c, double u) {
  const double from = u < 0.5 ? c.least : c.value;
  const double to = u < 0.5 ? c.value : c.most;
  const double share = u < 0.5 ? 2 * u : 2 * u - 1;
  if (c.least > 0) return from * std::pow(to / from, share);
  return from + (to - from) * share;
}

}  // namespace

std::optional<Constants> read_constants(const std::string& json_text, Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  Constants result;
  top.integer("schema", 1, 1);
  top.text("name");
  top.text("what");
  Reader constants = top.object("constants");
  SourcedReader sourced(constants, result.evidence, result.source);
  for (const Field& f : kFields) result.*f.member = sourced.field(f.name, constant);
  for (const Field& f : kFields) {
    const Constant& c = result.*f.member;
    if (c.least == c.most && result.evidence[f.name] == Evidence::assumed) {
      constants.problem(f.name, "an assumed constant has a range: least below most");
    }
  }
  constants.finish();
  top.finish();
  if (problems.list().size() != before) return std::nullopt;
  return result;
}

Constants load_constants() {
  const std::string path = data_path("models/stability/constants.json");
  Problems problems;
  return value_or_throw(read_constants(read_file(path, kMaxJsonBytes), problems), problems, path);
}

Constants drawn(const Constants& from, const Stream& stream, std::uint64_t draw) {
  Constants result = from;
  std::uint64_t i = draw * kFields.size();
  for (const Field& f : kFields) {
    (result.*f.member).value = within(from.*f.member, stream.uniform(i++));
  }
  return result;
}

std::vector<std::pair<std::string, Constant>> listed(const Constants& constants) {
  std::vector<std::pair<std::string, Constant>> result;
  for (const Field& f : kFields) result.emplace_back(f.name, constants.*f.member);
  return result;
}

}  // namespace forerun::stability
