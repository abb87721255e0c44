#pragma once

/// What a sweep varies: one path of a scenario, or several that change together.
///
///   {"path": "plan.tensor", "values": [1, 2, 4, 8]}
///   {"path": "cluster.network.network", "from": 100, "to": 800, "count": 4, "scale": "log",
///    "unit": "Gb/s"}
///   {"path": "operations.spares", "from": 0, "to": 64, "integer": true}
///   {"paths": ["plan.tensor", "plan.pipeline"], "values": [[8, 8], [4, 16]]}
///
/// A range's values are rounded to 12 digits, so that 100 is not 99.99999999999997 and processors
/// whose logarithms differ in the last bit have the same points.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/reader.h"

namespace forerun::sim {

/// A path of the scenario, and what is put there.
struct Setting {
  std::string path;   ///< "plan.tensor"; a JSON pointer where a key has a dot
  std::string value;  ///< JSON text
  bool operator==(const Setting&) const = default;
};

enum class Scale : std::uint8_t { linear, log };
inline constexpr std::array kScales = {Choice<Scale>{"linear", Scale::linear},
                                       Choice<Scale>{"log", Scale::log}};

struct AxisRange {
  double from = 0, to = 0;
  Scale scale = Scale::linear;
  bool integer = false;
  std::string unit;                   ///< after the number; empty: a plain number
  std::optional<std::int64_t> count;  ///< of values, both ends among them
};

struct Axis {
  std::vector<std::string> paths;
  std::vector<std::vector<std::string>> values;  ///< by choice, then by path: JSON texts
  std::optional<AxisRange> range;                ///< in place of values

  /// The values that it steps through in a grid or a list. Asserts that a range has a count.
  [[nodiscard]] std::int64_t steps() const;
  /// The settings at step `i` of them.
  [[nodiscard]] std::vector<Setting> at_step(std::int64_t i) const;
  /// The settings at `u` of [0, 1): of n choices, or whole numbers, each has its nth part; a range
  /// is gone through evenly, or evenly in its logarithm.
  [[nodiscard]] std::vector<Setting> at(double u) const;
  /// Its name in streams and messages: its paths.
  [[nodiscard]] std::string name() const;
};

/// Reads an axis and finishes the reader. `text`: of the whole file, from which values are taken as
/// they are written.
[[nodiscard]] Axis read_axis(Reader&, const std::string& text);

}  // namespace forerun::sim
