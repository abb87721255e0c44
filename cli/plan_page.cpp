// What `forerun plan` found, as a page to hand to whoever signs.

#include <fmt/format.h>

#include <algorithm>

#include "cli/plan_report.h"
#include "cli/report.h"
#include "core/table.h"
#include "sim/plan_json.h"
#include "sim/report/choices_page.h"

namespace forerun::cli {
namespace {

constexpr double kMillion = 1e6;

void identify(const sim::Scenario& s, const std::string& command, sim::ChoicesPage& page) {
  page.version = FORERUN_VERSION;
  page.command = command;
  page.identity = {{"seed", fmt::format("{}", s.seed)},
                   {"input hash", fmt::format("{:016x}", s.hash)}};
}

std::string counts_sentence(const sim::SearchCounts& c) {
  const auto n = [](std::int64_t count) { return show_count(static_cast<double>(count)); };
  return fmt::format(
      "of {} parallel plans {} break a rule or divide nothing, {} do not fit in memory, {} were "
      "bounded away and {} simulated",
      n(c.crossed - c.same), n(c.refused), n(c.too_big), n(c.bounded_away), n(c.simulated));
}

std::vector<std::string> cells(const sim::DecisionPoint& p) {
  const sim::Outcome& o = p.outcome;
  const bool run = o.tokens > 0;
  return {p.step ? show_step(p.step->time) : "",
          run ? show_count(o.tokens) : "",
          run ? significant(o.duration.in(1.0_days), 3) : "",
          o.cost ? significant(o.cost->base() / kMillion, 3) : "",
          o.loss ? fmt::format("{:.3f}", *o.loss) : "",
          p.step ? sim::plan_text(p.step->plan) : ""};
}

}  // namespace

std::string plan_page(const PlanAnswer& a, const std::string& command) {
  sim::ChoicesPage page;
  page.title = a.asked.name;
  page.question =
      fmt::format("Which parallel plan for {} on {} {}?", a.asked.model.name,
                  show_count(static_cast<double>(a.asked.accelerators)), a.asked.accelerator.name);
  page.description = a.asked.description;
  const sim::PlannedStep& best = a.search.best();
  page.tiles = {{"Step", significant(best.time.base(), 4), "s", sim::plan_text(best.plan)},
                {"Memory", significant(best.memory.in(1.0_GiB), 3), "GiB",
                 fmt::format("{} left on the fullest stage", show(best.spare))}};
  if (a.outcome.tokens > 0) {
    page.tiles.push_back(
        {"How long", significant(a.outcome.duration.in(1.0_days), 3), "days",
         fmt::format("8 of 10: {} to {}", show(a.outcome.early), show(a.outcome.late))});
  }
  if (a.outcome.cost) {
    page.tiles.push_back({"What it costs", show(*a.outcome.cost), "", "the median run"});
  }
  if (!a.broken.empty()) {
    page.tiles.insert(page.tiles.begin(), {"Not within the limits", "no", "", a.broken});
  }
  if (a.search.own) {
    page.tiles.push_back({"As it was", significant(a.search.own->time.base(), 4), "s",
                          sim::plan_text(a.search.own->plan)});
  }
  page.columns = {{"step, s", true}, {"held, GiB", true}};
  const auto way = [&](const sim::PlannedStep& p, bool chosen, const std::string& remark) {
    page.ways.push_back({sim::plan_text(p.plan),
                         {significant(p.time.base(), 4), significant(p.memory.in(1.0_GiB), 3)},
                         p.time.base(),
                         p.memory.in(1.0_GiB),
                         chosen,
                         remark});
  };
  const auto remark = [](const Loser& l) {
    return fmt::format("fastest with {}: {}", l.what, reasons_text(l.why));
  };
  std::vector<std::string> shown;
  for (const sim::PlannedStep& p : a.search.front) {
    const std::string json = sim::plan_json(p.plan);
    const auto lost = std::ranges::find_if(
        a.losers, [&](const Loser& l) { return sim::plan_json(l.step.plan) == json; });
    way(p, &p == &best, lost != a.losers.end() ? remark(*lost) : "");
    shown.push_back(json);
  }
  for (const Loser& l : a.losers) {
    if (std::ranges::find(shown, sim::plan_json(l.step.plan)) == shown.end()) {
      way(l.step, false, remark(l));
    }
  }
  page.x_label = "step, s";
  page.y_label = "held on the fullest stage, GiB";
  page.remarks = {{"Searched", {counts_sentence(a.search.counts)}}};
  if (!a.search.complete)
    page.remarks[0].sentences.emplace_back("incomplete: the search was stopped");
  identify(a.best, command, page);
  return sim::choices_page(page);
}

std::string decision_page(const DecisionAnswer& a, const sim::Scenario& asked,
                          const std::string& command) {
  const sim::Decision& d = a.decision;
  sim::ChoicesPage page;
  page.title = asked.name;
  page.question = goal_text(a.question);
  page.description = asked.description;
  if (d.ranking.empty()) {
    page.tiles = {{"Best", "none", "", "no point keeps the limits"}};
  } else {
    const sim::DecisionPoint& w = d.points[d.ranking.front()];
    page.tiles = {{"Best", point_name(w), "", sim::plan_text(w.step->plan)}};
    if (w.outcome.tokens > 0) {
      page.tiles.push_back(
          {"How long", significant(w.outcome.duration.in(1.0_days), 3), "days",
           fmt::format("8 of 10: {} to {}", show(w.outcome.early), show(w.outcome.late))});
    }
    if (w.outcome.cost) {
      page.tiles.push_back({"What it costs", show(*w.outcome.cost), "", "the median run"});
    }
    if (w.outcome.loss) {
      page.tiles.push_back({"Where it ends", fmt::format("{:.3f}", *w.outcome.loss), "nats",
                            "by the law at its constants' own values"});
    }
  }
  page.columns = {{"step", true},      {"tokens", true}, {"days", true},
                  {"cost, $ M", true}, {"loss", true},   {"plan", false}};
  const auto way = [&](const sim::DecisionPoint& p, bool chosen, const std::string& remark) {
    const bool drawn = p.in() && p.outcome.cost && p.outcome.tokens > 0;
    page.ways.push_back({point_name(p), cells(p),
                         drawn ? std::optional(p.outcome.duration.in(1.0_days)) : std::nullopt,
                         drawn ? std::optional(p.outcome.cost->base() / kMillion) : std::nullopt,
                         chosen, remark});
  };
  for (const std::size_t i : d.ranking) {
    way(d.points[i], i == d.ranking.front(), behind_text(a, i));
  }
  for (const sim::DecisionPoint& p : d.points) {
    if (!p.in()) way(p, false, p.out);
  }
  page.x_label = "days";
  page.y_label = "cost, $ M";
  sim::ChoicesPage::Remarks hangs{"What the decision hangs on", {}};
  for (const sim::SensitivityRow& r : a.sensitivity) {
    hangs.sentences.push_back(fmt::format("{} ({}) from {} to {}: {}", r.input, name(r.evidence),
                                          r.low, r.high, turn_text(a, r)));
  }
  page.remarks.push_back(std::move(hangs));
  identify(asked, command, page);
  return sim::choices_page(page);
}

}  // namespace forerun::cli
