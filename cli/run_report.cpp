#include "cli/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/report.h"
#include "core/table.h"

namespace forerun::cli {
namespace {

using namespace literals;

constexpr double kLeastShare = 0.00005;  // of the days: less is not shown
constexpr std::size_t kMostCauses = 8;

const char* what(sim::TimeUse u) {
  using enum sim::TimeUse;
  switch (u) {
    case training:
      return "steps that count";
    case slowdown:
      return "slow nodes, heat, a smaller machine";
    case starved:
      return "waiting for data";
    case evaluation:
      return "evaluations";
    case checkpoint:
      return "stops for checkpoints";
    case redone:
      return "steps done again";
    case detection:
      return "failures not noticed yet";
    case restart:
      return "diagnosis, restart, loading";
    case waiting:
      return "waiting for machines";
    case maintenance:
      return "maintenance";
  }
  return "";
}

std::string show_range(const sim::Spread& s, double scale, int digits) {
  return fmt::format("{} to {}", significant(s.p10 * scale, digits),
                     significant(s.p90 * scale, digits));
}

std::string days(double seconds) { return show(Seconds(seconds)); }

/// Of events, which are whole numbers in each run.
std::string events(double n) {
  return n < 100 && n != std::round(n) ? significant(n, 2) : show_count(std::round(n));
}

}  // namespace

std::vector<HeadlineRow> run_headline(const sim::Scenario& s, const sim::RunForecast& f,
                                      double steps) {
  std::vector<HeadlineRow> rows;
  // Of runs that were given up only the least duration is known.
  const auto at_least = [&](double quantile) {
    return f.given_up > 1 - quantile ? "more than " : "";
  };
  rows.push_back(
      {"duration", at_least(0.5) + days(f.duration_s.p50),
       fmt::format("80 % of {} simulated runs within {} to {}{}; undisturbed {}{}",
                   show_count(static_cast<double>(f.draws.size())), days(f.duration_s.p10),
                   at_least(0.9), days(f.duration_s.p90), days(f.undisturbed.base()),
                   f.given_up > 0
                       ? fmt::format("; {} were given up unfinished", show_percent(f.given_up, 0))
                       : "")});
  rows.push_back({"steps", show_count(steps),
                  fmt::format("of {} tokens", show_count(sim::tokens_per_step(s)))});
  rows.push_back({"goodput", show_percent(f.goodput.p50),
                  fmt::format("of the time is steps that count ({} to {}); {} interruptions",
                              show_percent(f.goodput.p10), show_percent(f.goodput.p90),
                              events(f.interruptions.p50))});
  const double hours = static_cast<double>(s.accelerators) / 3600;
  std::string published;
  if (const auto told = s.published.accelerator_hours) {
    const double difference = f.duration_s.p50 * hours / *told - 1;
    published = fmt::format("; published {}, predicted {} {}", show_count(*told),
                            show_percent(std::abs(difference)), difference < 0 ? "less" : "more");
  }
  rows.push_back({"GPU-hours", show_count(std::round(f.duration_s.p50 * hours)),
                  fmt::format("{} to {}{}", show_count(std::round(f.duration_s.p10 * hours)),
                              show_count(std::round(f.duration_s.p90 * hours)), published)});
  return rows;
}

std::string forecast_text(const sim::Scenario& s, const sim::RunForecast& f) {
  std::string out = fmt::format(
      "where the days go, on the mean of {} simulated runs, with the 10th and 90th percentile\n",
      f.draws.size());
  Table parts({{"", Table::Align::left},
               {"share", Table::Align::right},
               {"10 to 90 %", Table::Align::right},
               {"", Table::Align::left}});
  for (const sim::RunForecast::Part& p : f.parts) {
    if (p.share.p90 < kLeastShare && p.share.mean < kLeastShare) continue;
    parts.row({what(p.use), show_percent(p.share.mean, 2),
               fmt::format("{} to {}", show_percent(p.share.p10, 2), show_percent(p.share.p90, 2)),
               bar(p.share.mean, 20)});
  }
  out += parts.text() + "\n";

  std::vector<sim::RunForecast::Cause> causes = f.causes;
  std::ranges::stable_sort(causes, std::ranges::greater{},
                           [](const auto& c) { return c.interruptions.mean; });
  if (!causes.empty()) {
    Table table({{"interruptions by", Table::Align::left},
                 {"mean", Table::Align::right},
                 {"10 to 90 %", Table::Align::right}});
    double others = 0;
    for (std::size_t i = 0; i < causes.size(); ++i) {
      if (i >= kMostCauses) {
        others += causes[i].interruptions.mean;
        continue;
      }
      table.row({causes[i].name, events(causes[i].interruptions.mean),
                 show_range(causes[i].interruptions, 1, 3)});
    }
    if (others > 0) {
      table.row({fmt::format("{} others", causes.size() - kMostCauses), events(others), ""});
    }
    table.row({"all", events(f.interruptions.mean), show_range(f.interruptions, 1, 3)});
    out += table.text() + "\n";
  }
  if (f.rollbacks.mean > 0) {
    out += wrapped(fmt::format("rolled back {} times for the loss's sake on the mean ({})",
                               events(f.rollbacks.mean), show_range(f.rollbacks, 1, 3)),
                   2);
  }
  out += wrapped(
      fmt::format(
          "{} nodes and {} spare ones ({}); checkpoints every {}{}",
          show_count(static_cast<double>(f.nodes)), show_count(static_cast<double>(f.spares)),
          s.operations.reliability.name.empty() ? "failures as stated"
                                                : "failures: " + s.operations.reliability.name,
          show(f.checkpoint_interval),
          f.best_interval ? fmt::format(", the best by Daly's formula (never shorter than "
                                        "the writing takes) is {}",
                                        show(*f.best_interval))
                          : "; nothing fails unannounced"),
      2);
  for (const std::string& w : f.warnings) out += wrapped("warning: " + w, 2);
  for (const std::string& a : f.assumptions) out += wrapped("assumed of the run: " + a, 2);
  return out;
}

namespace {

void put(JsonWriter& json, const char* key, const sim::Spread& s, double scale = 1) {
  json.key(key).begin_object();
  json.key("p10").value(s.p10 * scale).key("p50").value(s.p50 * scale);
  json.key("p90").value(s.p90 * scale).key("mean").value(s.mean * scale).end_object();
}

}  // namespace

void write_forecast(JsonWriter& json, const sim::RunForecast& f) {
  json.key("run").begin_object();
  json.key("draws").value(static_cast<std::int64_t>(f.draws.size()));
  put(json, "days", f.duration_s, 1 / (1.0_days).base());
  json.key("days_undisturbed").value(f.undisturbed.in(1.0_days));
  put(json, "goodput", f.goodput);
  put(json, "interruptions", f.interruptions);
  put(json, "rollbacks", f.rollbacks);
  put(json, "steps_lost", f.steps_lost);
  put(json, "checkpoints", f.checkpoints);
  put(json, "nodes_replaced", f.nodes_replaced);
  json.key("by_cause").begin_array();
  for (const sim::RunForecast::Cause& c : f.causes) {
    json.begin_object().key("name").value(c.name);
    put(json, "interruptions", c.interruptions);
    json.end_object();
  }
  json.end_array().key("share").begin_object();
  for (const sim::RunForecast::Part& p : f.parts) {
    put(json, std::string(sim::name(p.use)).c_str(), p.share);
  }
  json.end_object();
  json.key("checkpoint_interval_s").value(f.checkpoint_interval.base());
  json.key("best_checkpoint_interval_s")
      .value(f.best_interval ? std::optional(f.best_interval->base()) : std::nullopt);
  json.key("nodes").value(f.nodes).key("spares").value(f.spares);
  json.key("given_up").value(f.given_up);
  json.key("evidence").value(name(f.evidence));
  json.key("assumptions").begin_array();
  for (const std::string& a : f.assumptions) json.value(a);
  json.end_array().key("warnings").begin_array();
  for (const std::string& w : f.warnings) json.value(w);
  json.end_array().end_object();
}

}  // namespace forerun::cli
