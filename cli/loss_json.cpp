// The losses and the stability of a run as JSON.

#include "cli/loss_report.h"
#include "models/flops.h"
#include "sim/list_price.h"

namespace forerun::cli {
namespace {

using models::Band;

void put(JsonWriter& json, const char* key, const Band& b) {
  json.key(key).begin_array().value(b.low).value(b.middle).value(b.high).end_array();
}
void put(JsonWriter& json, const char* key, const Interval& b) {
  json.key(key).begin_array().value(b.low).value(b.high).end_array();
}
void put(JsonWriter& json, const char* key, const std::vector<double>& values) {
  json.key(key).begin_array();
  for (const double v : values) json.value(v);
  json.end_array();
}
void put(JsonWriter& json, const char* key, const std::vector<std::string>& values) {
  json.key(key).begin_array();
  for (const std::string& v : values) json.value(v);
  json.end_array();
}

void write_modality(JsonWriter& json, const models::ModalityAnswer& m) {
  json.begin_object().key("modality").value(m.name).key("share").value(m.share);
  json.key("tokens").value(m.tokens).key("effective_tokens").value(m.effective_tokens);
  json.key("passes").value(m.passes > 0 ? std::optional(m.passes) : std::nullopt);
  json.key("loss")
      .value(m.share > 0 ? std::optional(m.end.loss) : std::nullopt)
      .key("loss_alone")
      .value(m.end.alone);
  json.key("interaction").value(m.end.interaction).key("dense_loss").value(m.dense_end);
  put(json, "band", m.band);
  json.key("flat_share").value(m.flat_share).key("longest_plateau_steps").value(m.longest_plateau);
  json.key("step_fraction").value(m.step_fraction).key("dense_loss_at_step").value(m.dense_step);
  json.end_object();
}

void write_pair(JsonWriter& json, const models::MixtureAnswer& a, const models::PairAnswer& p) {
  json.begin_object().key("pair").value(
      models::pair_name(a.modalities[p.first].name, a.modalities[p.second].name));
  json.key("interaction").value(p.interaction);
  put(json, "band", p.band);
  json.key("synergy_probability").value(p.synergy_probability);
  json.key("barrier_parameters").value(p.barrier_parameters);
  json.key("barrier_tokens").value(p.barrier_tokens);
  if (p.cheapest) {
    json.key("cheapest_parameters").value(p.cheapest->parameters);
    put(json, "cheapest_parameters_band", p.cheapest_parameters);
    json.key("cheapest_tokens").value(p.cheapest->tokens);
    put(json, "cheapest_tokens_band", p.cheapest_tokens);
  }
  json.end_object();
}

void write_curves(JsonWriter& json, const sim::Scenario& s, const models::MixtureAnswer& a,
                  const StepTimes& times) {
  const models::RunCourse& c = a.course;
  json.key("course").begin_object();
  put(json, "step", c.step);
  put(json, "tokens", c.tokens);
  put(json, "learning_rate_share", c.rate);
  if (times.own) {
    std::vector<double> hours, dollars;
    const double batch = sim::tokens_per_step(s);
    for (const double tokens : c.tokens) {
      const Seconds time = tokens / batch * *times.own;  // a ramp's smaller batches take less
      hours.push_back(time.in(1.0_h));
      if (const auto price = sim::list_price(s, time)) {
        dollars.push_back(price->base());
      }
    }
    put(json, "hours", hours);
    if (!dollars.empty()) put(json, "dollars", dollars);
  }
  json.key("curves").begin_array();
  for (std::size_t i = 0; i <= a.modalities.size(); ++i) {
    const bool mean = i == a.modalities.size();
    json.begin_object().key("of").value(mean ? std::string("mean") : a.modalities[i].name);
    put(json, "loss", mean ? a.smooth.mean : a.ascent.gated.loss[i]);
    if (!mean) put(json, "loss_without_plateaus", a.smooth.loss[i]);
    std::vector<double> low, high;
    for (const Band& b : a.bands[i]) {
      low.push_back(b.low);
      high.push_back(b.high);
    }
    put(json, "low", low);
    put(json, "high", high);
    json.end_object();
  }
  json.end_array().key("plateaus").begin_array();
  for (const models::Plateau& p : a.ascent.plateaus) {
    json.begin_object().key("modality").value(a.modalities[p.modality].name);
    json.key("from_step").value(p.from).key("to_step").value(p.to).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

void write_losses(JsonWriter& json, const sim::Scenario& s, const sim::RunLoss& r,
                  const StepTimes& times, bool curves) {
  json.key("loss").begin_object();
  json.key("law").value(r.law ? std::optional(r.law->name) : std::nullopt);
  put(json, "not_answered", r.unanswered);
  put(json, "notes", r.notes);
  json.key("dense_loss_reached").begin_array();
  for (const sim::RunLoss::Gain& g : r.gains) {
    json.begin_object().key("modality").value(g.modality);
    json.key("of_steps").value(g.training).key("of_steps_on_validation").value(g.validation);
    put(json, "band", g.band);
    const double batch = sim::tokens_per_step(s);
    const double steps = g.training * models::steps_for(s.recipe, s.training_tokens, batch);
    json.key("steps").value(steps).key("tokens").value(g.training * s.training_tokens);
    json.key("flops").value(
        g.training * s.training_tokens *
        models::flops_per_token(s.model, s.plan.sequence, models::FlopConvention::megatron_causal));
    const double whole = g.training * s.training_tokens / batch;  // in steps of the full batch
    const auto price = times.own ? sim::list_price(s, whole * *times.own) : std::nullopt;
    json.key("hours").value(times.own ? std::optional((whole * *times.own).in(1.0_h))
                                      : std::nullopt);
    json.key("list_price_usd").value(price ? std::optional(price->base()) : std::nullopt);
    json.end_object();
  }
  json.end_array();
  json.key("step_time_s").value(times.own ? std::optional(times.own->base()) : std::nullopt);
  json.key("dense_step_time_s")
      .value(times.dense ? std::optional(times.dense->base()) : std::nullopt);
  if (r.losses) {
    const models::MixtureAnswer& a = *r.losses;
    json.key("evidence").value(forerun::name(a.evidence));
    json.key("mean").value(a.mean).key("dense_mean").value(a.dense_mean);
    put(json, "mean_band", a.mean_band);
    json.key("modalities").begin_array();
    for (const models::ModalityAnswer& m : a.modalities) write_modality(json, m);
    json.end_array().key("pairs").begin_array();
    for (const models::PairAnswer& p : a.pairs) write_pair(json, a, p);
    json.end_array();
    put(json, "warnings", a.warnings);
    put(json, "assumptions", a.assumptions);
    if (curves) write_curves(json, s, a, times);
  }
  json.end_object();
}

void write_stability(JsonWriter& json, const sim::RunLoss& r) {
  json.key("stability");
  if (!r.stability) {
    json.null();
    return;
  }
  const stability::StabilityReport& s = *r.stability;
  json.begin_object().key("lost").value(s.lost);
  put(json, "lost_band", s.lost_band);
  json.key("lost_progress").value(s.lost_progress).key("findings").begin_array();
  for (const stability::Finding& f : s.findings) {
    json.begin_object().key("failure").value(stability::name(f.failure));
    json.key("probability").value(f.probability);
    put(json, "band", f.band);
    json.key("median_progress").value(f.median_progress).key("why").value(f.why);
    json.key("remedies").begin_array();
    for (const stability::Remedy& remedy : f.remedies) {
      json.begin_object().key("what").value(remedy.what);
      json.key("probability").value(remedy.probability).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
  json.key("gradient_spikes").value(s.expected.gradient);
  put(json, "gradient_spikes_band", s.gradient_spikes);
  json.key("loss_spikes").value(s.expected.loss);
  put(json, "loss_spikes_band", s.loss_spikes);
  json.key("diverging_spikes").value(s.expected.diverging);
  if (r.rolled_back) {
    json.key("rollbacks").value(r.rolled_back->count);
    json.key("redone_steps").value(r.rolled_back->steps_median);
    put(json, "redone_steps_band", r.rolled_back->steps);
  }
  if (r.signal) {
    std::vector<double> variance, gradient;
    for (const stability::LayerSignal& layer : r.signal->layers) {
      variance.push_back(layer.variance);
      gradient.push_back(layer.weight_gradient);
    }
    put(json, "variance_by_layer", variance);
    put(json, "squared_weight_gradient_by_layer", gradient);
  }
  json.end_object();
}

}  // namespace forerun::cli
