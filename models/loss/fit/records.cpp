#include "models/loss/fit/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "core/reader.h"
#include "hw/csv.h"

namespace forerun::models {
namespace {

constexpr std::array<std::string_view, 11> kColumns = {
    "name",   "note",           "parameters", "tokens", "loss",         "experts",
    "weight", "standard_error", "run",        "step",   "learning_rate"};
constexpr std::array<std::string_view, 2> kFamilies = {"tokens.", "loss."};

std::optional<double> finite_number(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// The problems of one line under the line's own place.
void moved(const Problems& from, const std::string& where, Problems& to) {
  for (const Problem& p : from.list()) {
    to.add(p.where.empty() ? where : fmt::format("{} {}", where, p.where), p.what);
  }
}

Record json_record(const JsonDocument& document, const std::string& where, Problems& problems) {
  Record record{where, {}};
  Reader top = document.root(problems);
  for (const std::string& key : top.keys()) {
    Cell cell{fmt::format("{} /{}", where, key), {}, {}, false};
    Problems unknown;
    if (!check_column(key, {}, unknown)) {
      problems.add("/" + key, unknown.list().front().what);
      continue;
    }
    if (!top.has(key)) continue;  // null: absent
    if (is_text_column(key)) {
      cell.text = top.text(key);
    } else if (top.is_list(key)) {
      cell.list = true;
      for (const double v : top.numbers(key, -1e300, 1e300)) cell.numbers.emplace_back(v);
    } else {
      cell.numbers.emplace_back(top.number(key, -1e300, 1e300));
    }
    record.cells.emplace(key, std::move(cell));
  }
  return record;
}

}  // namespace

bool is_text_column(std::string_view column) {
  return column == "name" || column == "note" || column == "run";
}

bool check_column(std::string_view column, const std::string& where, Problems& problems) {
  if (std::ranges::find(kColumns, column) != kColumns.end()) return true;
  for (const std::string_view family : kFamilies) {
    if (column.starts_with(family) && column.size() > family.size() &&
        column.find('|') == column.npos) {
      return true;
    }
  }
  // "tokens.text" and "loss.text" are no fixed names: a word with a dot is held against its head.
  const std::size_t dot = column.find('.');
  const std::vector<std::string_view> heads = {"tokens", "loss"};
  const std::string head = dot == column.npos ? "" : nearest(column.substr(0, dot), heads);
  const std::string hint =
      column.find('|') != column.npos ? "| stands between the two modalities of a pair in a law"
      : head.empty()
          ? did_you_mean(column, std::vector<std::string_view>(kColumns.begin(), kColumns.end()),
                         "there are " + fmt::format("{}", fmt::join(kColumns, ", ")) +
                             ", tokens.MODALITY and loss.MODALITY")
          : fmt::format("did you mean {}{}?", head, column.substr(dot));
  problems.add(where, fmt::format("\"{}\" is no column of runs: {}", column, hint));
  return false;
}

Records csv_records(std::string_view text, const std::string& file, Problems& problems) {
  Records out;
  Problems found;
  const hw::Csv table = hw::Csv::parse(text, found);
  std::set<std::string> seen;
  for (const std::string& column : table.columns()) {
    const std::string where = fmt::format("line 1, {}", column);
    (void)check_column(column, where, found);
    if (!seen.insert(column).second) found.add(where, "the column stands there twice");
  }
  out.columns = table.columns();
  if (found.empty()) {
    for (std::size_t r = 0; r < table.rows(); ++r) {
      Record record;
      for (std::size_t c = 0; c < table.columns().size(); ++c) {
        const std::string& cell = table.text(r, c);
        // Only refuse() knows the line.
        Problems place;
        table.refuse(r, c, "", place);
        const std::string& at = place.list().front().where;
        record.where = fmt::format("{}: {}", file, at.substr(0, at.find(',')));
        if (cell.empty()) continue;
        Cell made{fmt::format("{}: {}", file, at), {}, {}, false};
        if (is_text_column(table.columns()[c])) {
          made.text = cell;
        } else if (const auto value = finite_number(cell)) {
          made.numbers.emplace_back(value);
        } else {
          table.refuse(r, c, fmt::format("expected a number, found \"{}\"", cell), found);
          made.numbers.emplace_back(std::nullopt);
        }
        record.cells.emplace(table.columns()[c], std::move(made));
      }
      out.rows.push_back(std::move(record));
    }
  }
  for (const Problem& p : found.list()) problems.add(fmt::format("{}: {}", file, p.where), p.what);
  return out;
}

Records json_records(std::string_view text, const std::string& file, Problems& problems) {
  Records out;
  std::size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    const std::string where = fmt::format("{}: line {}", file, line_number);
    Problems found;
    const JsonDocument document = JsonDocument::parse(line, found);
    if (document.readable() && found.empty()) {
      out.rows.push_back(json_record(document, where, found));
    }
    moved(found, where, problems);
  }
  return out;
}

}  // namespace forerun::models
