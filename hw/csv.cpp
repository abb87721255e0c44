#include "hw/csv.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/error.h"

namespace forerun::hw {

namespace {

/// A table of another kind has as many mistakes as rows; the first few tell.
constexpr std::size_t kMostProblems = 20;

template <class Number>
bool parse_whole(const std::string& text, Number& value) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && rest == end;
}

void report(Problems& problems, std::string where, std::string what) {
  if (problems.list().size() < kMostProblems) problems.add(std::move(where), std::move(what));
}

}  // namespace

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> cells;
  for (;;) {
    const std::size_t comma = line.find(',');
    cells.emplace_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

Csv Csv::parse(std::string_view text, Problems& problems) {
  Csv table;
  std::size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    std::vector<std::string> cells = split(line);
    if (table.columns_.empty()) {
      table.columns_ = std::move(cells);
    } else if (cells.size() != table.columns_.size()) {
      report(problems, fmt::format("line {}", line_number),
             fmt::format("expected {} cells, found {}", table.columns_.size(), cells.size()));
    } else {
      table.cells_.push_back(std::move(cells));
      table.line_.push_back(line_number);
    }
  }
  if (table.columns_.empty()) report(problems, "line 1", "expected a header, found an empty file");
  return table;
}

const std::string& Csv::text(std::size_t row, std::size_t column) const {
  FORERUN_ASSERT(row < cells_.size() && column < columns_.size(),
                 fmt::format("row {}, column {}", row, column));
  return cells_[row][column];
}

void Csv::refuse(std::size_t row, std::size_t column, std::string what, Problems& problems) const {
  report(problems, fmt::format("line {}, {}", line_[row], columns_[column]), std::move(what));
}

std::int64_t Csv::integer(std::size_t row, std::size_t column, std::int64_t least,
                          Problems& problems) const {
  std::int64_t value = 0;
  if (parse_whole(text(row, column), value) && value >= least) return value;
  refuse(row, column,
         fmt::format("expected an integer of at least {}, found \"{}\"", least, text(row, column)),
         problems);
  return 0;
}

double Csv::number(std::size_t row, std::size_t column, double least, Problems& problems) const {
  double value = 0;
  if (parse_whole(text(row, column), value) && std::isfinite(value) && value >= least) return value;
  refuse(row, column,
         fmt::format("expected a number of at least {}, found \"{}\"", least, text(row, column)),
         problems);
  return 0;
}

}  // namespace forerun::hw
