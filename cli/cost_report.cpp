#include "cli/cost_report.h"

#include <fmt/format.h>

#include <utility>

#include "cli/report.h"
#include "core/table.h"

namespace forerun::cli {
namespace {

using namespace literals;
using Align = Table::Align;

std::string money(double usd) { return show(Dollars(usd)); }

std::string show_energy(double kwh) {
  if (kwh >= 1e6) return fmt::format("{} GWh", significant(kwh * 1e-6, 3));
  if (kwh >= 1e3) return fmt::format("{} MWh", significant(kwh * 1e-3, 3));
  return fmt::format("{} kWh", significant(kwh, 3));
}

std::string show_carbon(double kg) {
  return kg >= 1e3 ? fmt::format("{} t CO2", significant(kg * 1e-3, 3))
                   : fmt::format("{} kg CO2", significant(kg, 3));
}

/// "80 % within $1.1 M to $1.4 M", or nothing where all draws are alike.
std::string within(const sim::Spread& s, std::string (*shown)(double)) {
  const std::string low = shown(s.p10), high = shown(s.p90);
  return low == high ? "" : fmt::format("80 % within {} to {}", low, high);
}

std::string joined(const std::string& first, const std::string& second) {
  return first.empty() || second.empty() ? first + second : first + "; " + second;
}

void write_spread(JsonWriter& json, std::string_view key, const sim::Spread& s) {
  json.key(key).begin_object().key("p10").value(s.p10).key("p50").value(s.p50);
  json.key("p90").value(s.p90).key("mean").value(s.mean).end_object();
}

void write_texts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  json.key(key).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

}  // namespace

std::vector<HeadlineRow> cost_headline(const sim::Scenario& s, const sim::CostForecast& f) {
  const sim::CostSection& c = s.cost;
  std::vector<HeadlineRow> out;
  if (!f.items.empty()) {
    out.push_back({"cost", money(f.total_usd.p50),
                   joined(within(f.total_usd, money), std::string(name(f.evidence)))});
  }
  out.push_back({"energy", show_energy(f.energy_kwh.p50),
                 joined(within(f.energy_kwh, show_energy),
                        c.site.pue ? fmt::format("at the meter, PUE {:.2f}", c.site.pue->value)
                                   : "of the machines, without cooling")});
  if (f.carbon_kg) {
    out.push_back({"carbon", show_carbon(f.carbon_kg->p50), within(*f.carbon_kg, show_carbon)});
  }
  if (f.by_deadline) {
    out.push_back({"by " + sim::day_text(*c.deadline), show_percent(*f.by_deadline, 0),
                   fmt::format("probability, from {} on", sim::day_text(*c.start))});
  }
  if (f.within_budget) {
    out.push_back({"in budget", show_percent(*f.within_budget, 0),
                   fmt::format("probability, of {}", show(*c.budget))});
  }
  if (f.both) out.push_back({"both", show_percent(*f.both, 0), "probability"});
  return out;
}

std::string cost_text(const sim::CostForecast& f) {
  std::string out;
  if (!f.items.empty()) {
    Table table({{"cost", Align::left},
                 {"P10", Align::right},
                 {"P50", Align::right},
                 {"P90", Align::right},
                 {"share", Align::right},
                 {"evidence", Align::left}});
    for (const sim::CostForecast::Item& item : f.items) {
      table.row({item.name, money(item.usd.p10), money(item.usd.p50), money(item.usd.p90),
                 f.total_usd.mean > 0 ? show_percent(item.usd.mean / f.total_usd.mean) : "",
                 std::string(name(item.evidence))});
    }
    table.row({"all", money(f.total_usd.p10), money(f.total_usd.p50), money(f.total_usd.p90), "",
               std::string(name(f.evidence))});
    out += table.text() + "\n";
    for (const sim::CostForecast::Item& item : f.items) {
      out += wrapped(item.name + ": " + item.source, 2);
    }
  }
  for (const std::string& a : f.assumptions) out += wrapped("assumed: " + a, 2);
  for (const std::string& w : f.warnings) out += wrapped("warning: " + w, 2);
  return out;
}

void write_cost_forecast(JsonWriter& json, const sim::Scenario& s,
                         const std::optional<sim::CostForecast>& forecast) {
  json.key("cost");
  if (!forecast) {
    json.null();
    return;
  }
  const sim::CostForecast& f = *forecast;
  json.begin_object().key("items").begin_array();
  for (const sim::CostForecast::Item& item : f.items) {
    json.begin_object().key("name").value(item.name);
    write_spread(json, "usd", item.usd);
    json.key("evidence").value(name(item.evidence)).key("source").value(item.source).end_object();
  }
  json.end_array();
  write_spread(json, "total_usd", f.total_usd);
  write_spread(json, "energy_kwh", f.energy_kwh);
  if (f.carbon_kg) {
    write_spread(json, "carbon_kg", *f.carbon_kg);
  } else {
    json.key("carbon_kg").null();
  }
  const auto day = [&](std::string_view key, const std::optional<std::chrono::sys_days>& d) {
    json.key(key);
    if (d) {
      json.value(sim::day_text(*d));
    } else {
      json.null();
    }
  };
  day("start", s.cost.start);
  day("deadline", s.cost.deadline);
  json.key("budget_usd").value(s.cost.budget ? std::optional(s.cost.budget->base()) : std::nullopt);
  json.key("probability_by_deadline").value(f.by_deadline);
  json.key("probability_within_budget").value(f.within_budget);
  json.key("probability_of_both").value(f.both);
  json.key("evidence").value(name(f.evidence));
  write_texts(json, "assumptions", f.assumptions);
  write_texts(json, "warnings", f.warnings);
  json.end_object();
}

}  // namespace forerun::cli
