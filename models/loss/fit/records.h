#pragma once

/// The rows of a table and the lines of a JSON-lines file as the same thing: cells by column, each
/// with its place for messages.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"

namespace forerun::models {

struct Cell {
  std::string where, text;
  std::vector<std::optional<double>> numbers;  ///< of a list; one of a plain number
  bool list = false;
};
struct Record {
  std::string where;
  std::map<std::string, Cell, std::less<>> cells;  ///< empty cells are absent
};
struct Records {
  std::vector<std::string> columns;  ///< of a table; empty of JSON lines
  std::vector<Record> rows;
};

/// Whether cells of this column are text.
[[nodiscard]] bool is_text_column(std::string_view column);
/// Whether `column` is one, and if not the problem, with the nearest, at `where`.
bool check_column(std::string_view column, const std::string& where, Problems&);

[[nodiscard]] Records csv_records(std::string_view text, const std::string& file, Problems&);
[[nodiscard]] Records json_records(std::string_view text, const std::string& file, Problems&);

}  // namespace forerun::models
