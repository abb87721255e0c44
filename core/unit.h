#pragma once

/// The units a scenario may write, and how much of the base unit each is; for the .cpp files of
/// core only. Case decides: Gb is 10^9 bits, GB 10^9 bytes, GiB 2^30 bytes, ms a millisecond, MW a
/// megawatt.

#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace forerun::unit {

enum class Kind {
  seconds,
  bytes,
  bandwidth,
  flop_rate,
  watts,
  dollar_rate,
  dollars,
  duration,
  energy_price
};

struct Unit {
  std::string_view name;
  double size;  ///< in the base unit of its kind
};

struct KindFacts {
  std::string_view name;     ///< "a bandwidth"
  std::string_view example;  ///< "400 Gb/s"
  std::span<const Unit> units;
  double most;                 ///< in the base unit: above it nothing is meant
  std::string_view most_text;  ///< as one would write it
  double least = 0;            ///< of what is not zero, in the base unit
  std::string_view least_text{};
};

[[nodiscard]] const KindFacts& facts(Kind kind);

/// The rule on its size that a quantity breaks, or empty: at least zero, at most its kind's most,
/// and zero or at least its kind's least. The bounds keep what is computed from quantities finite.
[[nodiscard]] std::string broken_rule(double base, Kind kind);

/// The value of "NUMBER UNIT" in the base unit, or the rule that `text` breaks.
[[nodiscard]] std::variant<double, std::string> parse(std::string_view text, Kind kind);

}  // namespace forerun::unit
