#include "hw/cloud.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"

namespace forerun::hw {

namespace {

constexpr std::string_view kFolder = "hw/profiles/clouds";

/// Two or four digits at `at`, or nothing.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + (c - '0');
  }
  return value;
}

int days_of(int year, int month) {
  constexpr std::array kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays.at(static_cast<std::size_t>(month - 1));
}

constexpr int kEnd = 99;  // after any month or day

}  // namespace

std::strong_ordering PriceDate::operator<=>(const PriceDate& other) const {
  const auto last = [](const PriceDate& d) {
    return std::tuple(d.year, d.month == 0 ? kEnd : d.month, d.day == 0 ? kEnd : d.day);
  };
  return last(*this) <=> last(other);
}

std::optional<PriceDate> price_date(std::string_view text) {
  constexpr std::size_t kYear = 4, kMonth = 7, kDay = 10;  // "2026", "2026-03", "2026-03-17"
  if (text.size() != kYear && text.size() != kMonth && text.size() != kDay) return std::nullopt;
  const auto year = digits(text, 0, 4);
  if (!year || *year < 2000 || *year > 2099) return std::nullopt;
  PriceDate date{*year, 0, 0};
  if (text.size() == kYear) return date;
  const auto month = digits(text, kYear + 1, 2);
  if (text[kYear] != '-' || !month || *month < 1 || *month > 12) return std::nullopt;
  date.month = *month;
  if (text.size() == kMonth) return date;
  const auto day = digits(text, kMonth + 1, 2);
  if (text[kMonth] != '-' || !day || *day < 1 || *day > days_of(*year, *month)) return std::nullopt;
  date.day = *day;
  return date;
}

std::string text(const PriceDate& d) {
  std::string out = fmt::format("{}", d.year);
  if (d.month > 0) out += fmt::format("-{:02}", d.month);
  if (d.day > 0) out += fmt::format("-{:02}", d.day);
  return out;
}

std::vector<std::string> cloud_names() { return data_names(kFolder); }

Cloud load_cloud(const std::string& name) {
  const std::vector<std::string> names = cloud_names();
  if (!std::ranges::binary_search(names, name)) {
    throw Error(ExitCode::wrong, fmt::format("no cloud is named {}", name),
                did_you_mean(name, names, fmt::format("there are: {}", fmt::join(names, ", "))));
  }
  const std::string path = data_path(fmt::format("{}/{}.json", kFolder, name));
  Problems problems;
  return value_or_throw(read_cloud(read_file(path, kMaxJsonBytes), problems), problems,
                        name + ".json");
}

}  // namespace forerun::hw
