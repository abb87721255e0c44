#include "core/range.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "core/unit.h"

namespace forerun {
namespace {

// What is read in place of a duration that was refused: nobody's, and breaking no rule of its own.
constexpr double kRefused = 86400;

/// `text` in seconds; a problem at `key` if it is none.
double duration_of(Reader& at, std::string_view key, const std::string& text) {
  const auto parsed = unit::parse(text, unit::Kind::duration);
  if (const auto* why = std::get_if<std::string>(&parsed)) {
    at.problem(key, *why);
    return kRefused;
  }
  const double base = std::get<double>(parsed);
  const std::string rule = unit::broken_rule(base, unit::Kind::duration);
  if (rule.empty()) return base;
  at.problem(key, fmt::format("{}, found \"{}\"", rule, text));
  return kRefused;
}

template <class T>
Range two(Reader& at, std::string_view key, const std::vector<T>& values) {
  if (values.size() != 2) {
    at.problem(key, fmt::format("a range is [low, high], found {} values", values.size()));
    return {};
  }
  const Range r{values[0], values[1]};
  if (r.low > r.high) at.problem(key, "the low end is above the high end");
  return r;
}

}  // namespace

double Range::at(double u) const {
  if (low == high) return low;
  if (low <= 0) return low + u * (high - low);
  return low * std::pow(high / low, u);
}

double Range::mean() const {
  if (low == high) return low;
  if (low <= 0) return (low + high) / 2;
  return (high - low) / std::log(high / low);
}

Range read_range(Reader& at, std::string_view key, double least, double most) {
  if (at.is_list(key)) return two(at, key, at.numbers(key, least, most));
  const double value = at.number(key, least, most);
  return {value, value};
}

std::string range_json(const Range& r) {
  return r.low == r.high ? fmt::format("{}", r.low) : fmt::format("[{}, {}]", r.low, r.high);
}

Seconds read_duration(Reader& at, std::string_view key) {
  const std::string text = at.text(key);
  // A missing one, or one that is no text, was refused already.
  return Seconds(text.empty() ? kRefused : duration_of(at, key, text));
}

Range read_duration_range(Reader& at, std::string_view key) {
  if (!at.is_list(key)) {
    const double value = read_duration(at, key).base();
    return {value, value};
  }
  std::vector<double> values;
  for (const std::string& text : at.texts(key)) values.push_back(duration_of(at, key, text));
  return two(at, key, values);
}

std::string duration_json(Seconds s) { return fmt::format("\"{} s\"", s.base()); }

std::string duration_range_json(const Range& r) {
  if (r.low == r.high) return duration_json(Seconds(r.low));
  return fmt::format("[{}, {}]", duration_json(Seconds(r.low)), duration_json(Seconds(r.high)));
}

}  // namespace forerun
