#include <cmath>
#include <optional>

#include "cli/scoreboard_report.h"

namespace forerun::cli {
namespace {

std::optional<double> base(const std::optional<Seconds>& t) {
  return t ? std::optional(t->base()) : std::nullopt;
}
std::optional<double> gib(const std::optional<Bytes>& b) {
  return b ? std::optional(b->in(1.0_GiB)) : std::nullopt;
}

void write_row(JsonWriter& json, const sim::RowOutcome& o) {
  json.begin_object();
  json.key("id").value(o.id).key("group").value(o.group);
  json.key("measured_step_time_s").value(base(o.measured.step_time));
  json.key("predicted_step_time_s").value(base(o.step_time));
  json.key("band_low_s").value(o.band ? std::optional(o.band->low.base()) : std::nullopt);
  json.key("band_high_s").value(o.band ? std::optional(o.band->high.base()) : std::nullopt);
  json.key("measured_memory_gib").value(gib(o.measured.memory));
  json.key("predicted_memory_gib").value(gib(o.memory));
  json.key("measured_memory_after_step_gib").value(gib(o.measured.after_step));
  json.key("predicted_memory_after_step_gib").value(gib(o.after_step));
  json.key("measured_memory_reserved_gib").value(gib(o.measured.reserved));
  json.key("predicted_memory_reserved_gib").value(gib(o.reserved));
  json.key("out_of_memory").value(o.measured.out_of_memory);
  json.key("fits").value(o.fits);
  if (o.reason.empty()) {
    json.key("evidence").value(o.evidence);
  } else {
    json.key("reason").value(o.reason);
  }
  if (!o.family.empty()) json.key("family").value(o.family).key("split").value(o.split);
  json.key("framework").value(o.framework).key("accelerator").value(o.accelerator);
  json.key("assumptions").begin_array();
  for (const std::string& a : o.assumptions) json.value(a);
  json.end_array().end_object();
}

void write_groups(JsonWriter& json, std::string_view key,
                  const std::vector<sim::GroupScore>& groups) {
  json.key(key).begin_array();
  for (const sim::GroupScore& g : groups) {
    const bool timed = g.rows > 0, weighed = g.memory_rows > 0;
    json.begin_object().key("name").value(g.name).key("rows").value(g.rows);
    json.key("refused").value(g.refused);
    json.key("mean_error").value(timed ? std::optional(g.error) : std::nullopt);
    json.key("bias").value(timed ? std::optional(g.bias) : std::nullopt);
    json.key("worst").value(timed ? std::optional(g.worst) : std::nullopt);
    json.key("memory_rows").value(g.memory_rows);
    json.key("memory_error").value(weighed ? std::optional(g.memory_error) : std::nullopt);
    json.end_object();
  }
  json.end_array();
}

void write_fit(JsonWriter& json, std::string_view key, const sim::FitScore& f) {
  json.key(key).begin_object();
  json.key("ran").value(f.ran).key("ran_right").value(f.ran_right);
  json.key("out_of_memory").value(f.out_of_memory).key("out_right").value(f.out_right);
  json.key("balanced_accuracy").value(f.balanced()).end_object();
}

}  // namespace

void write_scoreboard(JsonWriter& json, const sim::Scoreboard& b,
                      const std::vector<sim::RowOutcome>& outcomes) {
  json.key("rows").begin_array();
  for (const sim::RowOutcome& o : outcomes) write_row(json, o);
  json.end_array();
  json.key("summary").begin_object();
  json.key("rows").value(b.rows).key("scored").value(b.scored);
  json.key("refused").value(b.refused).key("not_modelled").value(b.out_of_scope);
  json.key("mean_over_groups").value(b.mean_over_groups);
  json.key("median_over_groups").value(b.median_over_groups);
  json.key("mean_over_rows").value(b.mean_over_rows);
  json.key("mean_over_groups_not_fitted").value(b.tested);
  if (b.left_out) json.key("mean_over_groups_left_out").value(*b.left_out);
  if (b.left_out_families) {
    json.key("left_out_families_90").begin_array();
    json.value(b.left_out_families->low).value(b.left_out_families->high).end_array();
  }
  if (b.over_families) {
    json.key("over_families_90").begin_array();
    json.value(b.over_families->low).value(b.over_families->high).end_array();
  }
  json.key("in_band").value(b.in_band).key("band_level").value(b.band_level);
  json.key("memory_error").value(b.memory_error);
  json.key("memory_after_step_error").value(b.after_step_error);
  json.key("peak_in_reserved").value(b.peak_in_reserved);
  json.key("median_regret").value(b.median_regret).key("mean_regret").value(b.mean_regret);
  json.key("median_spearman").value(b.median_spearman);
  json.key("ratio_error").value(b.ratio_error);
  write_fit(json, "fits", b.fit);
  write_fit(json, "fits_near_capacity", b.fit_near);
  write_fit(json, "fits_clear", b.fit_clear);
  json.end_object();
  write_groups(json, "groups", b.groups);
  write_groups(json, "frameworks", b.frameworks);
  write_groups(json, "families", b.families);
  json.key("choices").begin_array();
  for (const sim::ChoiceScore& c : b.choices) {
    json.begin_object().key("group").value(c.group).key("plans").value(c.plans);
    json.key("regret").value(c.regret).key("spearman").value(c.spearman).end_object();
  }
  json.end_array().key("ratios").begin_array();
  for (const sim::RatioScore& r : b.ratios) {
    json.begin_object().key("model").value(r.model).key("from").value(r.from);
    json.key("to").value(r.to).key("measured").value(r.measured);
    json.key("predicted").value(r.predicted).end_object();
  }
  json.end_array();
}

void write_kernel_scores(JsonWriter& json, const std::vector<NamedTableScores>& files) {
  json.key("kernels").begin_array();
  for (const NamedTableScores& file : files) {
    for (const hw::TableScore& s : file.scores) {
      const bool any = s.predicted > 0;
      json.begin_object().key("file").value(file.file);
      json.key("operation").value(s.operation).key("dtype").value(s.dtype);
      json.key("rows").value(static_cast<std::int64_t>(s.rows));
      json.key("predicted").value(static_cast<std::int64_t>(s.predicted));
      json.key("median").value(any ? std::optional(s.median) : std::nullopt);
      json.key("mean").value(any ? std::optional(s.mean) : std::nullopt);
      json.key("p95").value(any ? std::optional(s.p95) : std::nullopt);
      json.key("note").value(s.note).end_object();
    }
  }
  json.end_array();
}

}  // namespace forerun::cli
