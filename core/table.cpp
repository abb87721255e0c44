#include "core/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>

#include "core/error.h"

namespace forerun {
namespace {

/// Letters, not bytes: every byte of UTF-8 that does not continue one begins one. Combining and
/// wide characters are not told apart.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u;
  }));
}

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

/// A bar inside a cell would begin another one.
std::string cell_of(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

struct Scale {
  double size;
  std::string_view unit;
};

/// `v` in the first of `scales` (largest first) in which it rounds to at least one.
std::string scaled(double v, std::span<const Scale> scales) {
  for (const Scale& scale : scales) {
    if (std::abs(v) >= scale.size * 0.9995 || &scale == &scales.back()) {
      return fmt::format("{} {}", significant(v / scale.size, 3), scale.unit);
    }
  }
  return {};
}

std::string grouped(double whole) {
  std::string digits = fmt::format("{:.0f}", std::abs(whole));
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  if (whole < 0) digits.insert(0, "-");
  return digits;
}

}  // namespace

Table::Table(std::vector<std::pair<std::string, Align>> columns) : columns_(std::move(columns)) {}

void Table::row(std::vector<std::string> cells) {
  FORERUN_ASSERT(cells.size() == columns_.size(),
                 fmt::format("{} cells for {} columns", cells.size(), columns_.size()));
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& [title, align] : columns_) widths.push_back(width(title));
  for (const auto& cells : rows_) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], width(cells[i]));
  }
  const auto line = [&](const auto& cell) {
    std::string out;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string_view content = cell(i);
      const std::string space(widths[i] - width(content), ' ');
      if (i > 0) out += "  ";
      if (columns_[i].second == Align::right) out += space;
      out += content;
      if (columns_[i].second == Align::left) out += space;
    }
    return trimmed(std::move(out)) + "\n";
  };
  std::string out = line([&](std::size_t i) -> std::string_view { return columns_[i].first; });
  for (std::size_t i = 0; i < widths.size(); ++i) {
    out += (i > 0 ? "  " : "") + std::string(widths[i], '-');
  }
  out += '\n';
  for (const auto& cells : rows_) {
    out += line([&](std::size_t i) -> std::string_view { return cells[i]; });
  }
  return out;
}

std::string Table::markdown() const {
  std::string out = "|";
  for (const auto& [title, align] : columns_) out += fmt::format(" {} |", cell_of(title));
  out += "\n|";
  for (const auto& [title, align] : columns_) out += align == Align::right ? "---:|" : "---|";
  out += '\n';
  for (const auto& cells : rows_) {
    out += '|';
    for (const std::string& cell : cells) out += fmt::format(" {} |", cell_of(cell));
    out += '\n';
  }
  return out;
}

std::string significant(double v, int digits) {
  if (!std::isfinite(v)) return fmt::format("{}", v);
  if (v == 0.0) return "0";
  // The exponent after rounding, so that 9.996 counts as 10.0: read it from the rounded number.
  const std::string rounded = fmt::format("{:.{}e}", v, digits - 1);
  const int exponent = std::stoi(rounded.substr(rounded.find('e') + 1));
  return fmt::format("{:.{}f}", v, std::max(0, digits - 1 - exponent));
}

std::string show(Seconds t) {
  static constexpr Scale kScales[] = {{172800.0, ""}, {3600.0, "h"}, {60.0, "min"}, {1.0, "s"},
                                      {1e-3, "ms"},   {1e-6, "us"},  {1e-9, "ns"}};
  const double v = t.base();
  // Two days and more read better as days; 30 hours read better as hours.
  if (std::abs(v) >= kScales[0].size) return significant(v / 86400.0, 3) + " days";
  if (v == 0.0) return "0 s";
  return scaled(v, std::span(kScales).subspan(1));
}

std::string show(Bytes b) {
  static constexpr Scale kScales[] = {
      {0x1p40, "TiB"}, {0x1p30, "GiB"}, {0x1p20, "MiB"}, {0x1p10, "KiB"}, {1.0, "B"}};
  return scaled(b.base(), kScales);
}

std::string show(Bandwidth b) {
  static constexpr Scale kScales[] = {
      {1e12, "TB/s"}, {1e9, "GB/s"}, {1e6, "MB/s"}, {1e3, "kB/s"}, {1.0, "B/s"}};
  return scaled(b.base(), kScales);
}

std::string show(FlopRate r) {
  static constexpr Scale kScales[] = {
      {1e15, "PFLOP/s"}, {1e12, "TFLOP/s"}, {1e9, "GFLOP/s"}, {1e6, "MFLOP/s"}, {1.0, "FLOP/s"}};
  // An accelerator's rate is quoted in TFLOP/s up to the ten thousands, a cluster's in PFLOP/s.
  const bool cluster = r.base() >= 1e16;
  return scaled(r.base(), std::span(kScales).subspan(cluster ? 0 : 1));
}

std::string show(Dollars d) {
  static constexpr Scale kScales[] = {{1e9, "B"}, {1e6, "M"}, {1e3, "k"}, {1.0, ""}};
  const std::string sign = d.base() < 0 ? "-$" : "$";
  return trimmed(sign + scaled(std::abs(d.base()), kScales));
}

std::string show_percent(double fraction, int digits) {
  return fmt::format("{:.{}f} %", fraction * 100.0, digits);
}

std::string show_count(double n) {
  static constexpr Scale kScales[] = {{1e12, "T"}, {1e9, "B"}, {1e6, "M"}};
  if (std::abs(n) >= 1e6) return scaled(n, kScales);
  if (n == std::round(n)) return grouped(n);
  return significant(n, 3);
}

}  // namespace forerun
