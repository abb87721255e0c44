#pragma once

/// Numbers that are known within a range only: published rates of different clusters, times that
/// differ from one restart to the next.

#include <string>
#include <string_view>

#include "core/quantity.h"
#include "core/reader.h"

namespace forerun {

/// From `low` to `high`, drawn log-uniformly (uniformly from 0); one value where they are equal.
struct Range {
  double low = 0, high = 0;
  /// The value at u in [0, 1].
  [[nodiscard]] double at(double u) const;
  /// Of what is drawn: (high - low) / ln(high / low).
  [[nodiscard]] double mean() const;
  /// at(1/2).
  [[nodiscard]] double middle() const { return at(0.5); }
  bool operator==(const Range&) const = default;
};

/// A number, or [low, high] with low at most high; each in [least, most].
[[nodiscard]] Range read_range(Reader&, std::string_view key, double least, double most);
[[nodiscard]] std::string range_json(const Range&);

/// "90 days", "15 min": a time of people's plans, up to a hundred years (a Reader's seconds() are a
/// machine's, up to a day).
[[nodiscard]] Seconds read_duration(Reader&, std::string_view key);
/// A duration, or [low, high] of two; in seconds.
[[nodiscard]] Range read_duration_range(Reader&, std::string_view key);
[[nodiscard]] std::string duration_json(Seconds);
[[nodiscard]] std::string duration_range_json(const Range&);

}  // namespace forerun
