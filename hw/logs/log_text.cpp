#include "hw/logs/log_text.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

namespace forerun::hw {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t'; }

std::size_t digits(std::string_view s, std::size_t from) {
  std::size_t i = from;
  while (i < s.size() && is_digit(s[i])) ++i;
  return i - from;
}

/// Length of "[1,0]<stdout>:" at the start of a line; 0 if there is none.
std::size_t mpirun_prefix(std::string_view s) {
  if (!s.starts_with('[')) return 0;
  const std::size_t job = digits(s, 1);
  if (job == 0 || s.substr(1 + job, 1) != ",") return 0;
  const std::size_t rank = digits(s, 2 + job);
  if (rank == 0) return 0;
  const std::string_view rest = s.substr(2 + job + rank);
  for (const std::string_view tag : {"]<stdout>:", "]<stderr>:"}) {
    if (rest.starts_with(tag)) return 2 + job + rank + tag.size();
  }
  return 0;
}

/// Length of "3:" or "node-7:" where a row or a comment of a table follows the colon.
std::size_t label_prefix(std::string_view s) {
  const std::size_t start = s.find_first_not_of(" \t");
  if (start == s.npos) return 0;
  std::size_t end = start;
  while (end < s.size() && (std::isalnum(static_cast<unsigned char>(s[end])) != 0 ||
                            s[end] == '-' || s[end] == '_' || s[end] == '.')) {
    ++end;
  }
  if (end == start || end >= s.size() || s[end] != ':') return 0;
  if (end - start == digits(s, start)) return end + 1;
  std::string_view rest = s.substr(end + 1);
  if (rest.empty() || !is_space(rest.front())) return 0;
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  return !rest.empty() && (rest.front() == '#' || is_digit(rest.front())) ? end + 1 : 0;
}

template <class Number>
std::optional<Number> whole(std::string_view word) {
  Number value{};
  const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || rest != word.data() + word.size()) return std::nullopt;
  return value;
}

}  // namespace

std::vector<LogLine> log_lines(std::string_view text) {
  std::vector<LogLine> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    LogLine line{
        static_cast<std::int64_t>(lines.size()) + 1, {}, text.substr(0, end), end != text.npos};
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.text.ends_with('\r')) line.text.remove_suffix(1);
    const std::string_view whole = line.text;
    line.text.remove_prefix(mpirun_prefix(line.text));
    line.text.remove_prefix(label_prefix(line.text));
    line.prefix = whole.substr(0, whole.size() - line.text.size());
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found;
  for (std::size_t i = 0; i < line.size();) {
    if (is_space(line[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < line.size() && !is_space(line[end])) ++end;
    found.push_back(line.substr(i, end - i));
    i = end;
  }
  return found;
}

std::optional<double> number_in(std::string_view word) {
  const auto value = whole<double>(word);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<std::int64_t> integer_in(std::string_view word) { return whole<std::int64_t>(word); }

double half_digit(std::string_view word) {
  const std::size_t point = word.find('.');
  const std::size_t after = point == word.npos ? 0 : word.size() - point - 1;
  return 0.5 * std::pow(10.0, -static_cast<double>(after));
}

std::optional<ShapeWord> shape_in(std::string_view word) {
  const std::size_t one = word.find('x');
  const std::size_t two = one == word.npos ? one : word.find('x', one + 1);
  if (two == word.npos) return std::nullopt;
  const auto a = integer_in(word.substr(0, one));
  const auto b = integer_in(word.substr(one + 1, two - one - 1));
  const auto c = integer_in(word.substr(two + 1));
  if (!a || !b || !c) return std::nullopt;
  return ShapeWord{*a, *b, *c};
}

std::string shown_word(std::string_view word) {
  std::string out(word.substr(0, 60));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) > 126) c = '?';
  }
  return word.size() > 60 ? out + "..." : out;
}

bool contains_word(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

}  // namespace forerun::hw
