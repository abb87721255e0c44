#pragma once

/// Tables and numbers for people: columns aligned, three or four significant digits, SI units.

#include <string>
#include <utility>
#include <vector>

#include "core/quantity.h"

namespace forerun {

/// Right-aligned where `right` says so; the first row is the header, underlined.
class Table {
 public:
  enum class Align { left, right };
  explicit Table(std::vector<std::pair<std::string, Align>> columns);
  void row(std::vector<std::string> cells);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string markdown() const;

 private:
  std::vector<std::pair<std::string, Align>> columns_;
  std::vector<std::vector<std::string>> rows_;
};

[[nodiscard]] std::string show(Seconds);    ///< "12.3 ms", "4.56 s", "3.2 days"
[[nodiscard]] std::string show(Bytes);      ///< "78.4 GiB"
[[nodiscard]] std::string show(Bandwidth);  ///< "370 GB/s"
[[nodiscard]] std::string show(FlopRate);   ///< "412 TFLOP/s"
[[nodiscard]] std::string show(Dollars);    ///< "$1.23 M"
[[nodiscard]] std::string show_percent(double fraction, int digits = 1);  ///< 0.123 -> "12.3 %"
[[nodiscard]] std::string show_count(double n);                           ///< "16,384", "405 B"
[[nodiscard]] std::string significant(double v, int digits);

}  // namespace forerun
