#include "models/loss/fit/runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/random.h"
#include "core/reader.h"
#include "models/loss/fit/records.h"

namespace forerun::models {
namespace {

const Cell* cell(const Record& record, std::string_view column) {
  const auto it = record.cells.find(column);
  return it == record.cells.end() ? nullptr : &it->second;
}

/// The number of a cell within what its column allows; 1 in place of what was refused.
double checked(const Cell& c, std::string_view what, double above, double least, double most,
               Problems& problems) {
  if (c.list || c.numbers.size() != 1) {
    problems.add(c.where, "expected one number, found a list");
    return 1;
  }
  if (!c.numbers.front()) return 1;  // said where it was read
  const double v = *c.numbers.front();
  if (v > above && v >= least && v <= most) return v;
  const std::string rule = std::isfinite(above) ? fmt::format("above {:g}", above)
                                                : fmt::format("of at least {:g}", least);
  problems.add(c.where,
               fmt::format("expected {} {} and at most {:g}, found {:g}", what, rule, most, v));
  return 1;
}

double positive(const Cell& c, std::string_view what, double most, Problems& problems) {
  return checked(c, what, 0, 0, most, problems);
}

double at_least(const Cell& c, std::string_view what, double least, double most,
                Problems& problems) {
  return checked(c, what, -std::numeric_limits<double>::infinity(), least, most, problems);
}

constexpr double kMostLoss = 1000;  // nats: exp of it is no vocabulary

/// The part after the dot.
std::string part(std::string_view column) {
  return std::string(column.substr(column.find('.') + 1));
}

void check_modalities(const Run& run, Problems& problems) {
  const bool plain = run.tokens.contains("");
  if (plain && run.tokens.size() > 1) {
    problems.add(run.where, "tokens and tokens.MODALITY both stated: one of them");
  }
  if (plain || run.tokens.empty()) return;
  std::vector<std::string> names;
  for (const auto& [name, count] : run.tokens) names.push_back(name);
  for (const auto& [name, loss] : run.losses) {
    if (name.empty() || name == "mean" || run.tokens.contains(name)) continue;
    problems.add(run.where, fmt::format("loss.{0} without tokens.{0}: {1}", name,
                                        did_you_mean(name, names,
                                                     "a run that did not see the "
                                                     "modality has no law of it")));
  }
  if (run.losses.contains("") || run.losses.contains("mean")) return;
  for (const std::string& name : names) {
    if (run.losses.contains(name)) continue;
    problems.add(run.where,
                 fmt::format("{:g} tokens.{} but no loss.{}: state it, or loss.mean of the mixture",
                             run.tokens.at(name), name, name));
  }
}

Run read_run(const Record& record, Problems& problems) {
  Run run;
  run.where = record.where;
  run.name = record.where.substr(record.where.rfind(": ") + 2);
  const std::size_t before = problems.list().size();
  for (const auto& [column, c] : record.cells) {
    if (column == "name") {
      run.name = c.text;
    } else if (column == "parameters") {
      run.parameters = positive(c, "a number of parameters", 1e18, problems);
    } else if (column == "tokens") {
      run.tokens[""] = positive(c, "a number of tokens", 1e21, problems);
    } else if (column.starts_with("tokens.")) {
      const double v = at_least(c, "a number of tokens", 0, 1e21, problems);
      if (v > 0) run.tokens[part(column)] = v;
    } else if (column == "loss") {
      run.losses[""] = positive(c, "a loss", kMostLoss, problems);
    } else if (column.starts_with("loss.")) {
      run.losses[part(column)] = positive(c, "a loss", kMostLoss, problems);
    } else if (column == "experts") {
      run.experts = at_least(c, "a number of experts", 1, 1e6, problems);
    } else if (column == "weight") {
      run.weight = positive(c, "a weight", 1e12, problems);
    } else if (column == "standard_error") {
      run.standard_error = positive(c, "a standard error", kMostLoss, problems);
    } else if (column == "step" || column == "learning_rate" || column == "run") {
      problems.add(c.where,
                   "of a curve, in a row of a finished run: curves have run, step, "
                   "learning_rate and loss, in a file of their own or a line of theirs");
    }
  }
  if (problems.list().size() != before) return run;
  if (run.parameters == 0) problems.add(record.where, "no parameters");
  if (run.tokens.empty()) {
    problems.add(record.where, "no tokens, neither tokens nor tokens.MODALITY above zero");
  }
  if (run.losses.empty()) problems.add(record.where, "no loss");
  if (run.standard_error && !run.losses.empty() &&
      *run.standard_error < 1e-6 * run.losses.begin()->second) {
    problems.add(record.where,
                 fmt::format("a standard error of {:g} on a loss of {:g}: under a millionth of it, "
                             "which no run is repeatable to",
                             *run.standard_error, run.losses.begin()->second));
  }
  if (run.weight && run.standard_error) {
    problems.add(record.where, "weight and standard_error both stated: one of them");
  }
  check_modalities(run, problems);
  return run;
}

void check_curve(const Curve& curve, Problems& problems) {
  if (curve.rows.empty() || curve.rows.front().step != 0) {
    problems.add(curve.where,
                 fmt::format("run {} begins at step {:g}: the law counts every change of the "
                             "learning rate, the warm-up's too; add rows without loss from step 0",
                             curve.name, curve.rows.empty() ? 0 : curve.rows.front().step));
    return;
  }
  double area = 0;
  for (std::size_t i = 0; i < curve.rows.size(); ++i) {
    const Curve::Row& row = curve.rows[i];
    if (i > 0 && row.step <= curve.rows[i - 1].step) {
      problems.add(curve.where, fmt::format("run {}: step {:g} follows step {:g}: steps must rise",
                                            curve.name, row.step, curve.rows[i - 1].step));
      return;
    }
    if (i > 0) area += row.rate + curve.rows[i - 1].rate;
    if (row.loss && area <= 0) {
      problems.add(curve.where,
                   fmt::format("run {}: a loss at step {:g}, where nothing was learned "
                               "yet: leave it empty",
                               curve.name, row.step));
      return;
    }
  }
}

/// The cells of a curve's row or line; all lists of a line have one length.
void add_rows(const Record& record, std::vector<Curve>& curves, std::set<std::string>& ended,
              Problems& problems) {
  const Cell* run = cell(record, "run");
  const Cell* step = cell(record, "step");
  const Cell* rate = cell(record, "learning_rate");
  const Cell* loss = cell(record, "loss");
  if (run == nullptr || step == nullptr || rate == nullptr) {
    problems.add(record.where, fmt::format("no {}", run == nullptr    ? "run"
                                                    : step == nullptr ? "step"
                                                                      : "learning_rate"));
    return;
  }
  for (const auto& [column, c] : record.cells) {
    if (column != "run" && column != "step" && column != "learning_rate" && column != "loss" &&
        column != "note") {
      problems.add(c.where, "not of a curve, which has run, step, learning_rate and loss");
    }
  }
  if (curves.empty() || curves.back().name != run->text) {
    if (!curves.empty()) ended.insert(curves.back().name);
    if (ended.contains(run->text)) {
      problems.add(run->where,
                   fmt::format("run {} again after another: its rows stand together", run->text));
    }
    curves.push_back({run->text, record.where, {}});
  }
  const std::size_t count = step->numbers.size();
  if (rate->numbers.size() != count || (loss != nullptr && loss->numbers.size() != count)) {
    problems.add(record.where, "step, learning_rate and loss must be lists of one length");
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto one = [i](const Cell& c) { return Cell{c.where, {}, {c.numbers[i]}, false}; };
    Curve::Row row;
    row.step = at_least(one(*step), "a step", 0, 1e9, problems);
    row.rate = at_least(one(*rate), "a learning rate", 0, 1e3, problems);
    if (row.step != std::floor(row.step)) {
      problems.add(step->where, fmt::format("expected a whole step, found {:g}", row.step));
    }
    const bool measured = loss != nullptr && !(loss->list && loss->numbers[i] == 0.0);
    if (measured) row.loss = positive(one(*loss), "a loss", kMostLoss, problems);
    curves.back().rows.push_back(row);
  }
}

void check_duplicates(const RunTable& table, Problems& problems) {
  std::map<std::string, std::string, std::less<>> names;
  std::map<std::vector<double>, std::string> seen;
  for (const Run& run : table.runs) {
    const bool named = !run.name.starts_with("line ");
    if (named) {
      const auto [it, fresh] = names.try_emplace(run.name, run.where);
      if (!fresh) {
        problems.add(run.where, fmt::format("run {} again: it is in {}", run.name, it->second));
        continue;
      }
    }
    std::vector<double> key = {run.parameters, run.experts.value_or(1)};
    for (const ByName* values : {&run.tokens, &run.losses}) {
      for (const auto& [name, v] : *values) {
        key.push_back(static_cast<double>(hash_text(name) >> 12));
        key.push_back(v);
      }
    }
    const auto [it, fresh] = seen.try_emplace(std::move(key), run.where);
    if (!fresh) {
      problems.add(run.where,
                   fmt::format("the same numbers as {}: each run counts once", it->second));
    }
  }
  for (const Curve& curve : table.curves) {
    const auto [it, fresh] = names.try_emplace(curve.name, curve.where);
    if (!fresh) {
      problems.add(curve.where, fmt::format("run {} again: it is in {}", curve.name, it->second));
    }
  }
}

}  // namespace

double Run::all_tokens() const {
  double sum = 0;
  for (const auto& [modality, count] : tokens) sum += count;
  return sum;
}

void read_runs(const std::string& whole, const std::string& file, RunTable& table,
               Problems& problems) {
  // Spreadsheets begin a file with a byte order mark.
  const std::string text = whole.starts_with("\xEF\xBB\xBF") ? whole.substr(3) : whole;
  const std::size_t before = problems.list().size();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool json = first != text.npos && text[first] == '{';
  const Records records =
      json ? json_records(text, file, problems) : csv_records(text, file, problems);
  if (problems.list().size() != before) return;
  if (records.rows.empty()) {
    problems.add(file, "no runs");
    return;
  }
  const auto has_column = [&](std::string_view name) {
    return std::ranges::find(records.columns, name) != records.columns.end();
  };
  const bool curves = has_column("step");
  if (!json) {
    const std::vector<std::string_view> wanted =
        curves ? std::vector<std::string_view>{"run", "learning_rate", "loss"}
               : std::vector<std::string_view>{"parameters"};
    for (const std::string_view name : wanted) {
      if (!has_column(name)) {
        problems.add(fmt::format("{}: line 1", file), fmt::format("no column {}", name));
      }
    }
    if (problems.list().size() != before) return;
  }
  std::vector<Curve> read;
  std::set<std::string> ended;
  std::size_t rows = 0;
  for (const Record& record : records.rows) {
    if (curves || record.cells.contains("step")) {
      add_rows(record, read, ended, problems);
      ++rows;
    } else {
      table.runs.push_back(read_run(record, problems));
    }
  }
  if (problems.list().size() == before) {
    for (const Curve& curve : read) check_curve(curve, problems);
  }
  const std::size_t finished = records.rows.size() - rows;
  table.sources.push_back(fmt::format("{} ({} {}, {:016x})", file,
                                      read.empty() ? finished : read.size(),
                                      read.empty() ? "runs" : "curves", hash_text(whole)));
  for (Curve& curve : read) table.curves.push_back(std::move(curve));
  if (problems.list().size() == before) check_duplicates(table, problems);
}

}  // namespace forerun::models
