#pragma once

/// Comma-separated tables as this project's measurements come: one header line, no quoting.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"

namespace forerun::hw {

inline constexpr std::uint64_t kCsvLimit = 64ull << 20;  ///< bytes of a table that is read

/// The parts of a comma-separated line; one empty part for an empty line.
[[nodiscard]] std::vector<std::string> split(std::string_view line);

class Csv {
 public:
  /// Every row that has not as many cells as the header is a problem and left out. Lines may end
  /// with CR LF; empty ones are skipped.
  [[nodiscard]] static Csv parse(std::string_view text, Problems&);

  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  [[nodiscard]] std::size_t rows() const { return cells_.size(); }
  [[nodiscard]] const std::string& text(std::size_t row, std::size_t column) const;
  /// A cell as a number of at least `least`; a wrong one is reported with line and column and 0.
  [[nodiscard]] std::int64_t integer(std::size_t row, std::size_t column, std::int64_t least,
                                     Problems&) const;
  [[nodiscard]] double number(std::size_t row, std::size_t column, double least, Problems&) const;
  /// Reports what is wrong with a cell, by line and column.
  void refuse(std::size_t row, std::size_t column, std::string what, Problems&) const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> cells_;
  std::vector<std::size_t> line_;
};

}  // namespace forerun::hw
