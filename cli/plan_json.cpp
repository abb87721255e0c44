// What `forerun plan` found, as JSON.

#include "sim/plan_json.h"

#include "cli/plan_report.h"
#include "cli/report.h"

namespace forerun::cli {
namespace {

void write_planned(JsonWriter& json, const sim::PlannedStep& p) {
  json.begin_object().key("step_time_s").value(p.time.base());
  json.key("bound_s").value(p.bound.base());
  json.key("memory_gib").value(p.memory.in(1.0_GiB)).key("spare_gib").value(p.spare.in(1.0_GiB));
  const sim::Plan& plan = p.plan;
  json.key("plan").begin_object();
  json.key("data").value(plan.data).key("tensor").value(plan.tensor);
  json.key("pipeline").value(plan.pipeline).key("context").value(plan.context);
  json.key("expert").value(plan.expert).key("expert_tensor").value(plan.expert_tensor);
  json.key("virtual_stages").value(plan.virtual_stages);
  json.key("schedule").value(sim::name(plan.schedule));
  json.key("sequence_parallel").value(plan.sequence_parallel);
  json.key("sharding").value(sim::name(plan.sharding));
  json.key("micro_batch").value(plan.micro_batch);
  json.key("micro_batches").value(plan.micro_batches());
  json.key("recompute").begin_object().key("mode").value(sim::name(plan.recompute.mode));
  json.key("parts").begin_array();
  for (const models::LayerPart part : plan.recompute.parts) json.value(sim::part_name(part));
  json.end_array().key("layers_per_stage").value(plan.recompute.layers_per_stage).end_object();
  json.end_object();
}

void write_edits(JsonWriter& json, const std::vector<std::string>& edits) {
  json.key("set").begin_array();
  for (const std::string& edit : edits) json.value(edit);
  json.end_array();
}

void write_breakdown(JsonWriter& json, const sim::MeanBreakdown& b) {
  json.begin_object();
  for (std::size_t c = 0; c < b.size(); ++c) json.key(category_key(c)).value(b[c].base());
  json.end_object();
}

void write_outcome(JsonWriter& json, const sim::Outcome& o) {
  json.begin_object().key("step_time_s").value(o.step_time.base());
  const bool run = o.tokens > 0;
  json.key("tokens").value(run ? std::optional(o.tokens) : std::nullopt);
  json.key("steps").value(run ? std::optional(o.steps) : std::nullopt);
  json.key("days").value(run ? std::optional(o.duration.in(1.0_days)) : std::nullopt);
  json.key("days_p10").value(run ? std::optional(o.early.in(1.0_days)) : std::nullopt);
  json.key("days_p90").value(run ? std::optional(o.late.in(1.0_days)) : std::nullopt);
  json.key("goodput").value(run ? std::optional(o.goodput) : std::nullopt);
  json.key("cost_usd").value(o.cost ? std::optional(o.cost->base()) : std::nullopt);
  json.key("loss").value(o.loss);
  json.end_object();
}

}  // namespace

void write_counts(JsonWriter& json, const sim::SearchCounts& c) {
  json.key("searched").begin_object().key("crossed").value(c.crossed).key("same").value(c.same);
  json.key("refused").value(c.refused).key("too_big").value(c.too_big);
  json.key("bounded_away").value(c.bounded_away).key("simulated").value(c.simulated).end_object();
}

void write_plan_answer(JsonWriter& json, const PlanAnswer& a) {
  const sim::PlanSearch& s = a.search;
  json.key("complete").value(s.complete).key("simplified").value(s.simplified);
  json.key("best");
  write_planned(json, s.best());
  json.end_object();
  json.key("best_breakdown_s");
  write_breakdown(json, a.breakdown);
  if (a.outcome.tokens > 0) {
    json.key("run");
    write_outcome(json, a.outcome);
  }
  json.key("own");
  if (s.own) {
    write_planned(json, *s.own);
    json.end_object();
  } else {
    json.null();
  }
  json.key("front").begin_array();
  for (const sim::PlannedStep& p : s.front) {
    write_planned(json, p);
    json.end_object();
  }
  json.end_array().key("runners_up").begin_array();
  for (const Loser& l : a.losers) {
    write_planned(json, l.step);
    json.key("differs_in").value(l.what).key("longer_s").begin_object();
    for (const sim::TimeDifference& d : l.why) {
      json.key(category_key(static_cast<std::size_t>(d.category))).value(d.longer.base());
    }
    json.end_object().end_object();
  }
  json.end_array();
  write_counts(json, s.counts);
  json.key("refusals").begin_object();
  for (const auto& [field, n] : s.refusals) json.key(field).value(n);
  json.end_object();
  write_edits(json, a.edits);
}

void write_decision(JsonWriter& json, const DecisionAnswer& a) {
  const sim::Decision& d = a.decision;
  const sim::DecisionQuestion& q = a.question;
  json.key("goal").value(name(q.goal)).key("complete").value(d.complete);
  json.key("feasible").value(!d.ranking.empty());
  json.key("points").begin_array();
  for (std::size_t i = 0; i < d.points.size(); ++i) {
    const sim::DecisionPoint& p = d.points[i];
    json.begin_object().key("names").begin_array();
    for (const std::string& n : p.names) json.value(n);
    json.end_array();
    write_edits(json, p.set);
    json.key("outcome");
    write_outcome(json, p.outcome);
    json.key("best");
    if (p.step) {
      write_planned(json, *p.step);
      json.end_object();
    } else {
      json.null();
    }
    json.key("on_front").value(std::ranges::find(d.front, i) != d.front.end());
    json.key("out").value(p.out);
    write_counts(json, p.counts);
    json.end_object();
  }
  json.end_array().key("ranking").begin_array();
  for (const std::size_t i : d.ranking) json.value(static_cast<std::int64_t>(i));
  json.end_array().key("sensitivity").begin_array();
  for (const sim::SensitivityRow& r : a.sensitivity) {
    json.begin_object().key("input").value(r.input).key("evidence").value(name(r.evidence));
    json.key("low").value(r.low).key("high").value(r.high);
    json.key("at_low").value(r.at_low).key("at_high").value(r.at_high);
    json.key("winner_at_low").value(static_cast<std::int64_t>(r.winner_at_low));
    json.key("winner_at_high").value(static_cast<std::int64_t>(r.winner_at_high));
    json.key("swing").value(r.swing).end_object();
  }
  json.end_array();
  write_edits(json, a.edits);
}

}  // namespace forerun::cli
