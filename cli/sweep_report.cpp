#include "cli/sweep_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>
#include <vector>

#include "cli/report.h"
#include "core/json_at.h"
#include "core/table.h"

namespace forerun::cli {
namespace {

using Align = Table::Align;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A setting's value without the quotation marks of a text.
std::string plain(const std::string& value) {
  const bool text = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return text ? value.substr(1, value.size() - 2) : value;
}

std::string shown(std::optional<double> value, const std::string& unit) {
  if (!value) return "";
  if (unit == "USD") return show(Dollars(*value));
  if (unit == "d") return show(Seconds(*value * 86400));
  if (unit == "s") return show(Seconds(*value));
  return significant(*value, 4);
}

/// The value that a point sets; empty if it leaves it to the base.
std::string value_of(const sim::Sweep& s, const sim::StoredPoint& p, const std::string& path) {
  const std::vector<sim::Setting> settings = s.settings(p.point);
  const auto one = std::ranges::find(settings, path, &sim::Setting::path);
  return one == settings.end() ? "" : plain(one->value);
}

/// The paths' values in the points that are listed: those that differ are columns, the others one
/// line for all.
struct Listed {
  std::vector<std::string> columns;
  std::string same;
};
Listed listed_paths(const sim::Sweep& s,
                    const std::vector<sim::SweepSummary::Objective>& objectives) {
  Listed out;
  for (const std::string& path : s.paths) {
    std::set<std::string> values;
    for (const auto& objective : objectives) {
      for (const sim::StoredPoint& p : objective.best) values.insert(value_of(s, p, path));
    }
    if (values.size() > 1) {
      out.columns.push_back(path);
    } else if (!values.empty() && !values.begin()->empty()) {
      out.same += fmt::format("{}{} {}", out.same.empty() ? "" : ", ", path, *values.begin());
    }
  }
  return out;
}

Table best_table(const sim::Sweep& s, const sim::SweepSummary& summary,
                 const sim::SweepSummary::Objective& objective,
                 const std::vector<std::string>& paths) {
  std::vector<std::pair<std::string, Align>> columns = {{"point", Align::right}};
  for (const std::string& path : paths) columns.emplace_back(path, Align::right);
  for (const auto& o : summary.objectives) columns.emplace_back(o.words, Align::right);
  Table table(columns);
  for (const sim::StoredPoint& p : objective.best) {
    std::vector<std::string> cells = {fmt::format("{}", p.point)};
    for (const std::string& path : paths) cells.push_back(value_of(s, p, path));
    for (const auto& o : summary.objectives) {
      cells.push_back(shown(summary.value(p, o.metric), o.unit));
    }
    table.row(cells);
  }
  return table;
}

std::string indented(const std::string& text) {
  std::string out = "  ";
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "  ";
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

}  // namespace

std::string sweep_text(const sim::Sweep& s, const sim::SweepSummary& summary,
                       const std::string& store) {
  std::string out = s.name + "\n";
  if (!s.description.empty()) out += wrapped(s.description, 0);
  out += fmt::format("\n  {} points about {}, {} answered, in {}\n",
                     show_count(static_cast<double>(summary.points)), s.base_name,
                     show_count(static_cast<double>(summary.answered)), store);
  for (const auto& f : summary.failures) {
    out += wrapped(
        fmt::format("{} {}: {}, for example point {}: {}", show_count(static_cast<double>(f.count)),
                    f.status, f.cause, f.example, f.reason),
        2);
  }
  if (summary.given_up > 0) {
    out += wrapped(fmt::format("{} answered are not among the best below: over {} of their runs "
                               "were given up unfinished",
                               show_count(static_cast<double>(summary.given_up)),
                               show_percent(sim::kMostGivenUp, 0)),
                   2);
  }
  const Listed listed = listed_paths(s, summary.objectives);
  for (const auto& objective : summary.objectives) {
    if (objective.best.empty()) continue;
    out += fmt::format("\nleast {}{}\n\n", objective.words,
                       objective.metric.ends_with("_p50") ? " (median)" : "");
    out += indented(best_table(s, summary, objective, listed.columns).text());
  }
  if (!listed.same.empty()) out += "\n" + wrapped("all of these: " + listed.same, 2);
  return out + fmt::format("\nseed {}{}, forerun {}, input {:016x}\n", s.seed,
                           s.seeds == sim::SeedKind::same ? "" : ", another for each point",
                           FORERUN_VERSION, s.hash);
}

void write_sweep(JsonWriter& json, const sim::Sweep& s, const sim::SweepSummary& summary,
                 const std::string& store) {
  json.begin_object();
  json.key("sweep").value(s.name).key("base").value(s.base_name).key("store").value(store);
  json.key("points").value(summary.points).key("answered").value(summary.answered);
  json.key("given_up").value(summary.given_up);
  json.key("failures").begin_array();
  for (const auto& f : summary.failures) {
    json.begin_object().key("status").value(f.status).key("cause").value(f.cause);
    json.key("count").value(f.count).key("example").value(f.example);
    json.key("reason").value(f.reason).end_object();
  }
  json.end_array();
  json.key("best").begin_array();
  for (const auto& objective : summary.objectives) {
    json.begin_object().key("metric").value(objective.metric).key("unit").value(objective.unit);
    json.key("points").begin_array();
    for (const sim::StoredPoint& p : objective.best) {
      json.begin_object().key("point").value(p.point).key("settings").begin_object();
      // As texts: their types are the scenario's.
      for (const sim::Setting& one : s.settings(p.point)) {
        json.key(one.path).value(plain(one.value));
      }
      json.end_object().key("metrics").begin_object();
      for (std::size_t i = 0; i < summary.metrics.size(); ++i) {
        if (p.values[i]) json.key(summary.metrics[i].name).value(*p.values[i]);
      }
      json.end_object().end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
  json.key("seed").value(static_cast<std::int64_t>(s.seed));
  json.key("version").value(FORERUN_VERSION);
  json.key("input_hash").value(fmt::format("{:016x}", s.hash)).end_object();
}

SweepProgress::SweepProgress(std::int64_t points, std::int64_t stored)
    : begin_(now()),
      last_(begin_),
      points_(points),
      first_(stored),
      terminal_(isatty(STDERR_FILENO) == 1) {}

SweepProgress::~SweepProgress() {
  if (terminal_) fmt::print(stderr, "\r\033[K");
}

void SweepProgress::operator()(std::int64_t stored) {
  const double every = terminal_ ? 0.2 : 30.0;
  const double time = now();
  if (time - last_ < every || stored == shown_) return;
  last_ = time;
  shown_ = stored;
  const double rate = static_cast<double>(stored - first_) / std::max(1e-9, time - begin_);
  const std::string left =
      rate > 0 ? show(Seconds(static_cast<double>(points_ - stored) / rate)) + " left" : "";
  fmt::print(stderr, "{}{} of {} points, {}/s, {}{}", terminal_ ? "\r" : "",
             show_count(static_cast<double>(stored)), show_count(static_cast<double>(points_)),
             significant(rate, 3), left, terminal_ ? "\033[K" : "\n");
  std::fflush(stderr);
}

}  // namespace forerun::cli
