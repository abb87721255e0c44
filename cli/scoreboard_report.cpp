#include "cli/scoreboard_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "cli/load.h"
#include "core/reader.h"

namespace forerun::cli {
namespace {

using Align = Table::Align;

std::string percent(const std::optional<double>& v) { return v ? show_percent(*v) : ""; }

std::string signed_percent(double v) { return (v >= 0 ? "+" : "") + show_percent(v); }

std::string gib(const std::optional<Bytes>& b) {
  return b ? fmt::format("{:.1f}", b->in(1.0_GiB)) : "";
}

std::string seconds(const std::optional<Seconds>& t) { return t ? significant(t->base(), 4) : ""; }

std::string fraction(std::int64_t part, std::int64_t whole) {
  return fmt::format("{} of {}", part, whole);
}

void fit_rows(Table& table, const char* what, const sim::FitScore& f) {
  if (f.ran + f.out_of_memory == 0) return;
  table.row({fmt::format("{}: balanced accuracy", what), percent(f.balanced()),
             fmt::format("{} that ran, {} that ran out", fraction(f.ran_right, f.ran),
                         fraction(f.out_right, f.out_of_memory))});
}

bool any_noted(const std::vector<sim::GroupScore>& groups, const Notes& notes) {
  return std::any_of(groups.begin(), groups.end(),
                     [&](const sim::GroupScore& g) { return notes.contains(g.name); });
}

}  // namespace

Table rows_table(const std::vector<sim::RowOutcome>& outcomes) {
  Table table({{"row", Align::left},
               {"measured s", Align::right},
               {"predicted s", Align::right},
               {"error", Align::right},
               {"measured GiB", Align::right},
               {"predicted GiB", Align::right},
               {"fits", Align::left},
               {"evidence", Align::left}});
  for (const sim::RowOutcome& o : outcomes) {
    const std::string fits = !o.fits ? "" : *o.fits ? "yes" : "no";
    table.row({o.id, seconds(o.measured.step_time), seconds(o.step_time),
               o.scored() ? signed_percent(o.step_time_error()) : "", gib(o.measured.memory),
               gib(o.memory), o.measured.out_of_memory ? fits + " (ran out)" : fits,
               !o.reason.empty()       ? "not simulated: " + o.reason
               : !o.not_scored.empty() ? "not scored: " + o.not_scored
                                       : o.evidence});
  }
  return table;
}

Notes read_notes(const std::string& path) {
  Problems problems;
  const JsonDocument document = JsonDocument::load(path, problems);
  Reader top = document.root(problems);
  top.integer("schema", 1, 1);
  Notes notes;
  Reader map = top.object("notes");
  for (const std::string& name : map.keys()) notes[name] = map.text(name);
  map.finish();
  top.finish();
  if (!problems.empty()) refuse(path, problems);
  return notes;
}

std::map<std::string, sim::LeftOutError> read_left_out(const std::string& path) {
  Problems problems;
  const JsonDocument document = JsonDocument::load(path, problems);
  Reader top = document.root(problems);
  top.integer("schema", 1, 1);
  (void)top.text("what");
  (void)top.number("mean_over_groups", 0, 1e9);
  (void)top.numbers("interval", 0, 1e9);
  std::map<std::string, sim::LeftOutError> errors;
  for (Reader& g : top.objects("groups")) {
    const std::string name = g.text("name");
    (void)g.integer("rows", 1, 1 << 30);
    errors[name] = {g.text("family"), g.number("error", 0, 1e9)};
    g.finish();
  }
  top.finish();
  if (!problems.empty()) refuse(path, problems);
  return errors;
}

Table groups_table(const std::vector<sim::GroupScore>& groups, const std::string& what,
                   const Notes& notes) {
  std::vector<std::pair<std::string, Align>> columns = {
      {what, Align::left},           {"rows", Align::right},  {"mean error", Align::right},
      {"bias", Align::right},        {"worst", Align::right}, {"memory rows", Align::right},
      {"memory error", Align::right}};
  const bool noted = any_noted(groups, notes);
  if (noted) columns.emplace_back("why it misses", Align::left);
  Table table(columns);
  for (const sim::GroupScore& g : groups) {
    const bool timed = g.rows > 0, weighed = g.memory_rows > 0;
    std::vector<std::string> cells = {g.name,
                                      fmt::format("{}", g.rows),
                                      timed ? show_percent(g.error) : "",
                                      timed ? signed_percent(g.bias) : "",
                                      timed ? show_percent(g.worst) : "",
                                      weighed ? fmt::format("{}", g.memory_rows) : "",
                                      weighed ? show_percent(g.memory_error) : ""};
    if (noted) {
      const auto note = notes.find(g.name);
      cells.push_back(note == notes.end() ? "" : note->second);
    }
    table.row(std::move(cells));
  }
  return table;
}

Table noted_groups_table(const std::vector<sim::GroupScore>& groups, const Notes& notes) {
  Table table({{"group", Align::left},
               {"rows", Align::right},
               {"mean error", Align::right},
               {"bias", Align::right},
               {"why it misses", Align::left}});
  for (const sim::GroupScore& g : groups) {
    const auto note = notes.find(g.name);
    if (note == notes.end()) continue;
    const bool timed = g.rows > 0;
    table.row({g.name, fmt::format("{}", g.rows), timed ? show_percent(g.error) : "",
               timed ? signed_percent(g.bias) : "", note->second});
  }
  return table;
}

std::string unused_notes_text(const sim::Scoreboard& b, const Notes& notes) {
  std::vector<std::string_view> names;
  for (const auto* groups : {&b.groups, &b.frameworks}) {
    for (const sim::GroupScore& g : *groups) names.push_back(g.name);
  }
  std::string out;
  for (const auto& [name, text] : notes) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    out += fmt::format(
        "warning: the note on \"{}\" is on no group and no framework of these rows{}\n", name,
        did_you_mean(name, names, "").empty()
            ? ""
            : fmt::format(" ({})", did_you_mean(name, names, "")));
  }
  return out;
}

Table summary_table(const sim::Scoreboard& b) {
  Table table({{"what", Align::left}, {"value", Align::right}, {"of", Align::left}});
  const std::string groups = fmt::format("{} groups, {} rows", b.groups.size(), b.scored);
  if (b.scored > 0) {
    table.row({"step time: mean over groups of the mean error", show_percent(b.mean_over_groups),
               groups});
    table.row({"step time: median group", show_percent(b.median_over_groups), ""});
    table.row({"step time: mean over rows", show_percent(b.mean_over_rows), ""});
  }
  if (b.tested) {
    table.row({"step time: the same, rows that no fit saw", percent(b.tested), "mean over groups"});
  }
  if (b.left_out) {
    table.row({"step time: the same, each family left out of the fit", percent(b.left_out),
               b.left_out_families ? fmt::format("mean over groups; over families {} to {} (90 %)",
                                                 show_percent(b.left_out_families->low),
                                                 show_percent(b.left_out_families->high))
                                   : "mean over groups"});
  }
  if (b.over_families) {
    table.row({"step time: mean over families, 90 % interval",
               fmt::format("{} to {}", show_percent(b.over_families->low),
                           show_percent(b.over_families->high)),
               fmt::format("bootstrap over {} families", b.families.size())});
  }
  if (b.in_band) {
    table.row({"step time: inside the printed band", percent(b.in_band),
               fmt::format("of {}; the band promises {}",
                           b.tested ? "rows that no fit saw" : "all rows, fitted ones too",
                           show_percent(*b.band_level, 0))});
  }
  if (b.memory_error) {
    table.row(
        {"peak memory: mean over groups", percent(b.memory_error), "as each framework reports it"});
  }
  if (b.after_step_error) {
    table.row({"memory after the step", percent(b.after_step_error), "mean over rows"});
  }
  if (b.peak_in_reserved) {
    table.row(
        {"predicted peak at 0.8-1.0 of what was held", percent(b.peak_in_reserved), "of rows"});
  }
  fit_rows(table, "fits or not", b.fit);
  fit_rows(table, "fits or not, within 10 % of capacity", b.fit_near);
  fit_rows(table, "fits or not, clearer cases", b.fit_clear);
  if (b.median_regret) {
    table.row({"choosing: regret of the predicted best plan", percent(b.median_regret),
               fmt::format("median of {} groups with {} plans or more; mean {}", b.choices.size(),
                           sim::kLeastPlans, percent(b.mean_regret))});
    table.row({"choosing: rank correlation", significant(*b.median_spearman, 3),
               "median group, Spearman"});
  }
  if (b.ratio_error) {
    table.row({"speed ratio between accelerators", percent(b.ratio_error),
               fmt::format("mean error of {} pairs", b.ratios.size())});
  }
  if (b.refused > 0) {
    table.row({"refused rows", fmt::format("{}", b.refused), "each counts as 100 %"});
  }
  if (b.out_of_scope > 0) {
    table.row(
        {"rows of kinds that are not modelled", fmt::format("{}", b.out_of_scope), "not scored"});
  }
  return table;
}

Table choices_table(const sim::Scoreboard& b) {
  Table table({{"group", Align::left},
               {"plans", Align::right},
               {"regret", Align::right},
               {"rank correlation", Align::right}});
  for (const sim::ChoiceScore& c : b.choices) {
    table.row(
        {c.group, fmt::format("{}", c.plans), show_percent(c.regret), significant(c.spearman, 3)});
  }
  return table;
}

Table ratios_table(const sim::Scoreboard& b) {
  Table table({{"model", Align::left},
               {"from", Align::left},
               {"to", Align::left},
               {"measured", Align::right},
               {"predicted", Align::right},
               {"error", Align::right}});
  for (const sim::RatioScore& r : b.ratios) {
    table.row({r.model, r.from, r.to, significant(r.measured, 3), significant(r.predicted, 3),
               signed_percent(r.predicted / r.measured - 1.0)});
  }
  return table;
}

std::string refusals_text(const std::vector<sim::RowOutcome>& outcomes) {
  std::map<std::string, std::vector<std::string>> by_reason;
  for (const sim::RowOutcome& o : outcomes) {
    if (!o.reason.empty()) by_reason[o.reason].push_back(o.id);
  }
  std::string out;
  for (const auto& [reason, ids] : by_reason) {
    out += fmt::format("  {} not simulated, {}{}: {}\n", ids.size(), ids.front(),
                       ids.size() > 1 ? " ..." : "", reason);
  }
  return out;
}

std::string scoreboard_text(const sim::Scoreboard& b, const std::vector<sim::RowOutcome>& outcomes,
                            const Notes& notes, bool with_rows) {
  std::string out;
  if (with_rows) out += rows_table(outcomes).text() + "\n";
  out += groups_table(b.groups, "group", notes).text() + "\n";
  out += groups_table(b.frameworks, "framework and accelerator", notes).text() + "\n";
  if (!b.choices.empty()) out += choices_table(b).text() + "\n";
  if (!b.ratios.empty()) out += ratios_table(b).text() + "\n";
  out += summary_table(b).text();
  const std::string refusals = refusals_text(outcomes);
  if (!refusals.empty()) out += "\n" + refusals;
  if (!with_rows) out += fmt::format("\n--rows prints each of the {} rows\n", outcomes.size());
  return out;
}

std::string scoreboard_markdown(const sim::Scoreboard& b, const Notes& notes) {
  std::string out = summary_table(b).markdown() + "\n" +
                    groups_table(b.frameworks, "framework and accelerator", notes).markdown();
  if (any_noted(b.groups, notes)) out += "\n" + noted_groups_table(b.groups, notes).markdown();
  return out;
}

Table kernels_table(const std::vector<NamedTableScores>& files) {
  Table table({{"table", Align::left},
               {"operation", Align::left},
               {"type", Align::left},
               {"rows", Align::right},
               {"predicted", Align::right},
               {"median", Align::right},
               {"mean", Align::right},
               {"p95", Align::right},
               {"note", Align::left}});
  for (const NamedTableScores& file : files) {
    for (const hw::TableScore& s : file.scores) {
      const bool any = s.predicted > 0;
      table.row({file.file, s.operation, s.dtype, fmt::format("{}", s.rows),
                 fmt::format("{}", s.predicted), any ? show_percent(s.median) : "",
                 any ? show_percent(s.mean) : "", any ? show_percent(s.p95) : "", s.note});
    }
  }
  return table;
}

}  // namespace forerun::cli
