#include "sim/sweep/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/error.h"
#include "core/json_at.h"
#include "core/json_writer.h"

namespace forerun::sim {
namespace {

constexpr double kMost = 1e300;
constexpr std::int64_t kMostSteps = 1'000'000;

/// 2^53: beyond it not every whole number is one of double precision.
constexpr double kMostInteger = 9007199254740992.0;

double rounded(double value) { return std::strtod(fmt::format("{:.12g}", value).c_str(), nullptr); }

std::string range_text(const AxisRange& r, double value) {
  const std::string number =
      r.integer ? fmt::format("{}", static_cast<std::int64_t>(value)) : fmt::format("{}", value);
  return r.unit.empty() ? number : json_quoted(number + " " + r.unit);
}

/// At `share` of [0, 1] of the way.
double along(const AxisRange& r, double share) {
  if (share <= 0) return r.from;
  if (share >= 1) return r.to;
  const double value =
      r.scale == Scale::log
          ? std::exp(std::log(r.from) + share * (std::log(r.to) - std::log(r.from)))
          : r.from + share * (r.to - r.from);
  return std::clamp(rounded(value), r.from, r.to);
}

AxisRange read_range(Reader& r) {
  AxisRange out;
  out.from = r.number("from", -kMost, kMost);
  out.to = r.number("to", -kMost, kMost);
  if (r.has("scale")) out.scale = r.choice("scale", kScales);
  if (r.has("integer")) out.integer = r.boolean("integer");
  if (r.has("unit")) out.unit = r.text("unit");
  if (r.has("count")) out.count = r.integer("count", 1, kMostSteps);
  if (out.to <= out.from) r.problem("to", fmt::format("must be above from, {}", out.from));
  if (out.scale == Scale::log && out.from <= 0) {
    r.problem("from", "must be above 0: the scale is log");
  }
  if (out.integer) {
    for (const auto& [key, value] : {std::pair("from", out.from), std::pair("to", out.to)}) {
      if (std::floor(value) != value || std::abs(value) > kMostInteger) {
        r.problem(key, fmt::format("must be a whole number, as integer is true, found {}", value));
      }
    }
  }
  if (out.count == 1) r.problem("count", "1: a range has two ends; write values, with one");
  if (out.integer && out.count && static_cast<double>(*out.count - 1) > out.to - out.from) {
    r.problem("count", fmt::format("{}, but there are {} whole numbers from {} to {}", *out.count,
                                   out.to - out.from + 1, out.from, out.to));
  }
  return out;
}

void read_values(Reader& r, const std::string& text, Axis& axis) {
  const std::string pointer = r.pointer() + "/values";
  if (!r.is_list("values")) {
    r.problem("values", "expected an array");
    return;
  }
  const auto choices = json_elements(text, pointer).value_or(std::vector<std::string>{});
  if (choices.empty()) r.problem("values", "empty: an axis has a value at least");
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (!r.has("paths")) {
      axis.values.push_back({choices[i]});
      continue;
    }
    auto together = json_elements(text, fmt::format("{}/{}", pointer, i));
    if (!together || together->size() != axis.paths.size()) {
      r.problem("values", fmt::format("{} must be an array of {} values, one for each path",
                                      choices[i], axis.paths.size()));
      continue;
    }
    axis.values.push_back(*std::move(together));
  }
}

}  // namespace

std::int64_t Axis::steps() const {
  if (!range) return std::ssize(values);
  FORERUN_ASSERT(range->count.has_value(), name());
  return *range->count;
}

std::vector<Setting> Axis::at_step(std::int64_t i) const {
  FORERUN_ASSERT(i >= 0 && i < steps(), fmt::format("step {} of {}", i, name()));
  if (range) {
    double value = along(*range, static_cast<double>(i) / static_cast<double>(*range->count - 1));
    if (range->integer) value = std::round(value);
    return {{paths.front(), range_text(*range, value)}};
  }
  std::vector<Setting> out;
  const std::vector<std::string>& choice = values[static_cast<std::size_t>(i)];
  for (std::size_t p = 0; p < paths.size(); ++p) out.push_back({paths[p], choice[p]});
  return out;
}

std::vector<Setting> Axis::at(double u) const {
  if (!range) {
    const auto n = static_cast<double>(values.size());
    return at_step(std::min(std::ssize(values) - 1, static_cast<std::int64_t>(u * n)));
  }
  if (!range->integer) return {{paths.front(), range_text(*range, along(*range, u))}};
  // Each whole number has the part of the range from half below it to half above it.
  AxisRange wide = *range;
  wide.from -= 0.5;
  wide.to += 0.5;
  const double value = std::clamp(std::round(along(wide, u)), range->from, range->to);
  return {{paths.front(), range_text(*range, value)}};
}

std::string Axis::name() const { return fmt::format("{}", fmt::join(paths, " and ")); }

Axis read_axis(Reader& r, const std::string& text) {
  Axis axis;
  if (r.has("paths")) {
    axis.paths = r.texts("paths");
    if (axis.paths.size() < 2) r.problem("paths", "fewer than two: write path and its values");
    if (r.has("path")) r.problem("path", "given, and so is paths");
  } else {
    axis.paths = {r.text("path")};
  }
  for (std::string& path : axis.paths) {
    // They are columns of the store, whose SQL and JSON have no way to say them.
    if (path.find_first_of("\"'\\\n\r") != std::string::npos) {
      r.problem(axis.paths.size() > 1 ? "paths" : "path",
                "has a quote, a backslash or a line's end");
    }
    if (!path.empty()) path = json_path(json_pointer(path));
  }
  const bool ranged = r.has("from") || r.has("to");
  if (r.has("values")) {
    if (ranged) r.problem("values", "given, and so is a range: it is one or the other");
    read_values(r, text, axis);
  } else if (ranged) {
    if (axis.paths.size() > 1) r.problem("from", "several paths change by values, not by a range");
    axis.range = read_range(r);
  } else {
    r.problem("", "an axis has values, or a range: from and to");
  }
  r.finish();
  return axis;
}

}  // namespace forerun::sim
