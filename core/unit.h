#pragma once

/// The units a scenario may write, and how much of the base unit each is; for the .cpp files of
/// core only. Case decides: Gb is 10^9 bits, GB 10^9 bytes, GiB 2^30 bytes, ms a millisecond, MW a
/// megawatt.

#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace forerun::unit {

enum class Kind { seconds, bytes, bandwidth, flop_rate, watts, dollar_rate };

struct Unit {
  std::string_view name;
  double size;  ///< in the base unit of its kind
};

struct KindFacts {
  std::string_view name;     ///< "a bandwidth"
  std::string_view example;  ///< "400 Gb/s"
  std::span<const Unit> units;
};

[[nodiscard]] const KindFacts& facts(Kind kind);

/// The value of "NUMBER UNIT" in the base unit, or the rule that `text` breaks.
[[nodiscard]] std::variant<double, std::string> parse(std::string_view text, Kind kind);

}  // namespace forerun::unit
