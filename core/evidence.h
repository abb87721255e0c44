#pragma once

/// Where a number came from. An answer inherits the weakest evidence of what went into it.

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace forerun {

/// Evidence of an input number, strongest first, so that `weakest` is a maximum.
enum class Evidence : std::uint8_t { measured, published, fitted, derived, assumed };

/// Evidence of a computed duration, strongest first.
/// measured: a measured point of this very shape; interpolated: inside measured shapes;
/// extrapolated: outside them, at the boundary's utilisation; modelled: no measurement of this
/// kind.
enum class DurationEvidence : std::uint8_t { measured, interpolated, extrapolated, modelled };

constexpr Evidence weakest(Evidence a, Evidence b) { return std::max(a, b); }
constexpr DurationEvidence weakest(DurationEvidence a, DurationEvidence b) {
  return std::max(a, b);
}

[[nodiscard]] std::string_view name(Evidence);
[[nodiscard]] std::string_view name(DurationEvidence);

}  // namespace forerun
