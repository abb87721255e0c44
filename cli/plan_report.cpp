#include "cli/plan_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/report.h"
#include "cli/shell.h"
#include "core/table.h"
#include "sim/plan_json.h"

namespace forerun::cli {
namespace {

using Align = Table::Align;

constexpr std::size_t kMostOfFront = 20;
constexpr std::size_t kMostReasons = 3;
constexpr std::size_t kMostPoints = 40;
constexpr std::size_t kMostRows = 12;  ///< of the sensitivity
constexpr std::size_t kMostRefusals = 6;

std::string than(double ratio) {
  return fmt::format("{} {}", show_percent(std::abs(ratio - 1.0)), ratio < 1 ? "less" : "more");
}

std::string counts_text(const sim::SearchCounts& c, double seconds) {
  const auto n = [](std::int64_t count) { return show_count(static_cast<double>(count)); };
  const std::int64_t plans = c.crossed - c.same;
  std::string out = fmt::format(
      "searched\n\n  {} plans: {} break a rule or divide nothing, {} do not fit in memory, {} "
      "bounded away, {} "
      "simulated\n",
      n(plans), n(c.refused), n(c.too_big), n(c.bounded_away), n(c.simulated));
  if (seconds > 0) out += fmt::format("  in {}\n", show(Seconds(seconds)));
  return out;
}

std::string front_text(const sim::PlanSearch& search) {
  Table table({{"step", Align::right},
               {"than the best", Align::right},
               {"held", Align::right},
               {"left", Align::right},
               {"plan", Align::left}});
  const std::size_t shown = std::min(kMostOfFront, search.front.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const sim::PlannedStep& p = search.front[i];
    table.row({show_step(p.time), i == 0 ? "" : than(p.time / search.best().time), show(p.memory),
               show(p.spare), sim::plan_text(p.plan)});
  }
  std::string out = "the front: no plan is faster and smaller than one of these\n\n" + table.text();
  if (shown < search.front.size()) {
    out += fmt::format("and {} more (--json has all)\n", search.front.size() - shown);
  }
  return out;
}

std::string losers_text(const PlanAnswer& a) {
  if (a.losers.empty()) return {};
  Table table({{"otherwise", Align::left},
               {"fastest so", Align::right},
               {"", Align::right},
               {"what sets it apart", Align::left}});
  for (const Loser& l : a.losers) {
    table.row({l.what, show_step(l.step.time), than(l.step.time / a.search.best().time),
               reasons_text(l.why)});
  }
  return "\nwhy others lost: the fastest plan with another value of each knob\n\n" + table.text();
}

std::string edits_text(const std::vector<std::string>& edits, const std::string& argument) {
  std::string out = fmt::format("\nto run it\n\n  forerun run {}", shell_quoted(argument));
  for (const std::string& edit : edits) {
    out += fmt::format(" \\\n    --set {}", shell_quoted(edit));
  }
  return out + "\n";
}

std::string run_text(const sim::Outcome& o) {
  if (o.tokens <= 0) return {};
  std::string out = fmt::format("  {} tokens in {} ({} to {} in 80 %), {} of it steps that count",
                                show_count(o.tokens), show(o.duration), show(o.early), show(o.late),
                                show_percent(o.goodput));
  std::vector<std::string> more;
  if (o.cost) more.push_back(fmt::format("{}", show(*o.cost)));
  if (o.loss) more.push_back(fmt::format("to {:.3f} nats", *o.loss));
  return out + (more.empty() ? "\n" : fmt::format("\n  {}\n", fmt::join(more, ", ")));
}

}  // namespace

std::string knob_value(sim::Knob knob, const sim::Plan& p) {
  using sim::Knob;
  switch (knob) {
    case Knob::tensor:
      return fmt::format("tensor {}", p.tensor);
    case Knob::pipeline:
      return fmt::format("pipeline {}", p.pipeline);
    case Knob::context:
      return fmt::format("context {}", p.context);
    case Knob::experts:
      return fmt::format("expert {} x {}", p.expert, p.expert_tensor);
    case Knob::virtual_stages:
      return fmt::format("{} virtual stages", p.virtual_stages);
    case Knob::schedule:
      return std::string(sim::name(p.schedule));
    case Knob::micro_batch:
      return fmt::format("micro-batch {}", p.micro_batch);
    case Knob::sequence_parallel:
      return p.sequence_parallel ? "sequence parallel" : "no sequence parallel";
    case Knob::sharding:
      return p.sharding == sim::ShardingStage::none
                 ? "nothing sharded"
                 : fmt::format("{} sharded", sim::name(p.sharding));
    case Knob::recompute:
      return p.recompute.layers_per_stage > 0
                 ? fmt::format("recompute of {} layers", p.recompute.layers_per_stage)
                 : fmt::format("{} recompute", sim::name(p.recompute.mode));
  }
  return {};
}

std::string plan_answer_text(const PlanAnswer& a, const std::string& argument) {
  const sim::PlanSearch& s = a.search;
  const sim::PlannedStep& best = s.best();
  std::string out = question_text(a.best);
  out += fmt::format("\n  best plan: {} a step, {} held of {} on the fullest stage\n",
                     show_step(best.time), show(best.memory), show(best.memory + best.spare));
  if (s.own) {
    const double ratio = s.own->time / best.time;
    out += ratio > 1 ? fmt::format("  the scenario's own plan takes {}, {}\n",
                                   show_step(s.own->time), than(ratio))
                     : fmt::format("  the scenario's own plan takes {}\n", show_step(s.own->time));
  } else if (s.complete) {
    out += "  the scenario's own plan cannot run: it breaks a rule or does not fit\n";
  }
  out += run_text(a.outcome);
  if (!s.complete) out += "  incomplete: stopped; what is shown was found until then\n";
  if (s.simplified) {
    out += wrapped(
        "plans were searched as if micro-batches were alike and links not shared; those shown were "
        "then simulated as they are",
        2);
  }
  out += "\n" + front_text(s) + losers_text(a) + "\n" + counts_text(s.counts, a.seconds);
  std::vector<std::pair<std::int64_t, std::string>> refusals;
  for (const auto& [field, n] : s.refusals) refusals.emplace_back(-n, field);
  std::ranges::sort(refusals);
  if (!refusals.empty()) {
    std::vector<std::string> parts;
    for (const auto& [n, field] : refusals) {
      if (parts.size() == kMostRefusals) break;
      parts.push_back(fmt::format("{} {}", field, show_count(static_cast<double>(-n))));
    }
    out += wrapped(fmt::format("rules broken beside divisors: {}", fmt::join(parts, ", ")), 2);
  }
  return out + edits_text(a.edits, argument);
}

std::string no_plan_text(const sim::PlanSearch& s, const sim::MemoryResult& memory) {
  std::string out = fmt::format("infeasible: none of {} plans fits in memory\n",
                                show_count(static_cast<double>(s.counts.too_big)));
  if (s.nearest) {
    out += fmt::format("\n  the nearest is {} over on stage {}:\n", show(s.over), memory.worst);
    out += wrapped(sim::plan_text(*s.nearest), 4);
    for (const std::string& remedy : memory.remedies) {
      out += fmt::format("  it fits with {}\n", remedy);
    }
  }
  return out + "\n" + counts_text(s.counts, 0);
}

std::string reasons_text(const std::vector<sim::TimeDifference>& why) {
  std::vector<std::string> parts;
  const auto say = [&](const sim::TimeDifference& d) {
    parts.push_back(fmt::format("{} {}{}", sim::name(d.category), d.longer > Seconds(0) ? "+" : "-",
                                show_step(d.longer > Seconds(0) ? d.longer : -d.longer)));
  };
  for (const sim::TimeDifference& d : why) {
    if (parts.size() < kMostReasons && d.longer > Seconds(0)) say(d);
  }
  for (const sim::TimeDifference& d : why) {
    if (parts.size() < kMostReasons && d.longer < Seconds(0)) say(d);
  }
  return parts.empty() ? "nothing by a thousandth" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string goal_text(const sim::DecisionQuestion& q) {
  std::string out = q.goal == sim::Goal::cost   ? "least cost"
                    : q.goal == sim::Goal::loss ? "least loss"
                    : q.goal == sim::Goal::date ? "earliest end"
                                                : "shortest step";
  if (!q.modality.empty() && q.goal == sim::Goal::loss) out += fmt::format(" of {}", q.modality);
  std::vector<std::string> limits;
  if (q.loss_at_most) {
    limits.push_back(fmt::format("{} at most {:.3f} nats",
                                 q.modality.empty() ? "mean loss" : "loss of " + q.modality,
                                 *q.loss_at_most));
  }
  if (q.budget) limits.push_back(fmt::format("at most {}", show(*q.budget)));
  if (q.within) limits.push_back(fmt::format("within {}", show(*q.within)));
  if (q.free_tokens) limits.emplace_back("as many tokens as that takes");
  return limits.empty() ? out : fmt::format("{}, {}", out, fmt::join(limits, ", "));
}

std::string point_name(const sim::DecisionPoint& p) {
  return fmt::format("{}", fmt::join(p.names, ", "));
}

std::string behind_text(const DecisionAnswer& a, std::size_t point) {
  const sim::Decision& d = a.decision;
  if (point == d.ranking.front()) return {};
  const sim::Goal goal = a.question.goal;
  const double best = *sim::worth(goal, d.points[d.ranking.front()].outcome);
  if (!(best > 0)) return fmt::format("{} more than nothing", name(goal));
  const double ratio = *sim::worth(goal, d.points[point].outcome) / best;
  return fmt::format("{} {}", goal == sim::Goal::date ? "run" : name(goal), than(ratio));
}

std::string turn_text(const DecisionAnswer& a, const sim::SensitivityRow& r) {
  const std::size_t winner = a.decision.ranking.front();
  if (!r.changes(winner)) return "holds";
  const std::size_t other = r.winner_at_low != winner ? r.winner_at_low : r.winner_at_high;
  return fmt::format("changes to {}", point_name(a.decision.points[other]));
}

namespace {

std::vector<std::string> outcome_cells(const sim::DecisionPoint& p) {
  const sim::Outcome& o = p.outcome;
  const bool run = o.tokens > 0;
  return {p.step ? show_step(p.step->time) : "", run ? show_count(o.tokens) : "",
          run ? show(o.duration) : "", o.cost ? show(*o.cost) : "",
          o.loss ? fmt::format("{:.3f}", *o.loss) : ""};
}

std::string points_text(const DecisionAnswer& a) {
  const sim::Decision& d = a.decision;
  Table table({{"", Align::left},
               {"point", Align::left},
               {"step", Align::right},
               {"tokens", Align::right},
               {"run", Align::right},
               {"cost", Align::right},
               {"loss", Align::right},
               {"why it lost", Align::left}});
  const auto on_front = [&](std::size_t i) {
    return std::ranges::find(d.front, i) != d.front.end();
  };
  std::size_t shown = 0;
  const auto row = [&](std::size_t i, std::string why) {
    if (++shown > kMostPoints) return;
    std::vector<std::string> cells = {on_front(i) ? "*" : "", point_name(d.points[i])};
    for (std::string& cell : outcome_cells(d.points[i])) cells.push_back(std::move(cell));
    cells.push_back(std::move(why));
    table.row(std::move(cells));
  };
  for (const std::size_t i : d.ranking) row(i, behind_text(a, i));
  for (std::size_t i = 0; i < d.points.size(); ++i) {
    if (!d.points[i].in()) row(i, d.points[i].out);
  }
  std::string out = table.text();
  if (shown > kMostPoints)
    out += fmt::format("and {} more (--json has all)\n", shown - kMostPoints);
  return out + "* on the front: no point is better in run, cost and loss at once\n";
}

/// What the runner-up's goal is worse by, taken apart.
std::string why_text(const DecisionAnswer& a) {
  const sim::Decision& d = a.decision;
  if (d.ranking.size() < 2) return {};
  const sim::DecisionPoint& w = d.points[d.ranking[0]];
  const sim::DecisionPoint& r = d.points[d.ranking[1]];
  std::string out = fmt::format("\nwhy {} lost to {}\n\n", point_name(r), point_name(w));
  const auto line = [&](const char* what, double first, double second, const std::string& shown) {
    out += fmt::format("  {:<28} {:>16}   {}\n", what, shown, than(second / first));
  };
  const sim::Scenario& ws = *w.scenario;
  const sim::Scenario& rs = *r.scenario;
  const auto rate = [](const sim::Scenario& s, const sim::DecisionPoint& p) {
    return sim::tokens_per_step(s) / p.step->time.base() / static_cast<double>(s.accelerators);
  };
  line("tokens a second, accelerator", rate(ws, w), rate(rs, r),
       show_count(std::round(rate(rs, r))));
  line("accelerators", static_cast<double>(ws.accelerators), static_cast<double>(rs.accelerators),
       show_count(static_cast<double>(rs.accelerators)));
  if (w.outcome.tokens > 0) {
    line("tokens", w.outcome.tokens, r.outcome.tokens, show_count(r.outcome.tokens));
  }
  if (ws.price && rs.price) {
    line("price of an hour", ws.price->base(), rs.price->base(),
         fmt::format("{:.2f} USD", rs.price->in(1.0_usd_per_h)));
  }
  const auto share = [](const sim::MeanBreakdown& b, std::size_t c) {
    Seconds whole{};
    for (const Seconds t : b) whole += t;
    return b[c] / whole;
  };
  std::vector<std::pair<double, std::size_t>> worse;
  for (std::size_t c = 0; c < a.winner.size(); ++c) {
    worse.emplace_back(share(a.winner, c) - share(a.runner_up, c), c);
  }
  std::ranges::sort(worse);
  for (std::size_t k = 0; k < kMostReasons && worse[k].first < -1e-3; ++k) {
    const std::size_t c = worse[k].second;
    out += fmt::format("  of its step {} {}, of the winner's {}\n",
                       show_percent(share(a.runner_up, c)),
                       sim::name(static_cast<sim::Category>(c)), show_percent(share(a.winner, c)));
  }
  return out;
}

std::string worth_text(sim::Goal goal, std::optional<double> value) {
  if (!value) return "out";
  switch (goal) {
    case sim::Goal::cost:
      return show(Dollars(*value));
    case sim::Goal::loss:
      return fmt::format("{:.3f}", *value);
    case sim::Goal::date:
      return show(Seconds(*value));
    case sim::Goal::time:
      return show_step(Seconds(*value));
  }
  return {};
}

std::string sensitivity_text(const DecisionAnswer& a) {
  if (a.sensitivity.empty()) return {};
  Table table({{"input", Align::left},
               {"from", Align::right},
               {"to", Align::right},
               {"winner then", Align::right},
               {"and", Align::right},
               {"swing", Align::right},
               {"decision", Align::left}});
  const std::size_t shown = std::min(kMostRows, a.sensitivity.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const sim::SensitivityRow& r = a.sensitivity[i];
    table.row({fmt::format("{} ({})", r.input, name(r.evidence)), r.low, r.high,
               worth_text(a.question.goal, r.at_low), worth_text(a.question.goal, r.at_high),
               show_percent(r.swing), turn_text(a, r)});
  }
  std::string out =
      "\nwhat the decision hangs on: each input alone at both ends\n\n" + table.text();
  if (shown < a.sensitivity.size()) {
    out += fmt::format("and {} more (--json has all)\n", a.sensitivity.size() - shown);
  }
  return out;
}

}  // namespace

std::string decision_text(const DecisionAnswer& a, const std::string& argument) {
  const sim::Decision& d = a.decision;
  std::string out;
  sim::SearchCounts all;
  for (const sim::DecisionPoint& p : d.points) {
    all.crossed += p.counts.crossed;
    all.same += p.counts.same;
    all.refused += p.counts.refused;
    all.too_big += p.counts.too_big;
    all.bounded_away += p.counts.bounded_away;
    all.simulated += p.counts.simulated;
  }
  const std::string incomplete =
      d.complete ? "" : "  incomplete: stopped; what is shown was found until then\n";
  if (d.ranking.empty()) {
    out = fmt::format("infeasible: no point of {} serves ({})\n", d.points.size(),
                      goal_text(a.question));
    return out + incomplete + "\n" + points_text(a) + "\n" + counts_text(all, 0);
  }
  const sim::DecisionPoint& w = d.points[d.ranking.front()];
  out = question_text(*w.scenario);
  out += fmt::format("\n  {}: {}\n  {} a step\n", goal_text(a.question), point_name(w),
                     show_step(w.step->time));
  out += run_text(w.outcome) + incomplete + "\n" + points_text(a) + why_text(a) +
         sensitivity_text(a) + "\n" + counts_text(all, 0);
  return out + edits_text(a.edits, argument);
}

}  // namespace forerun::cli
