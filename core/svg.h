#pragma once

/// What pictures have in common.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace forerun {

/// Colours told apart by people who see few (Okabe and Ito).
inline constexpr std::array<const char*, 7> kSvgColours = {
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333"};
/// The i-th, and from the beginning again.
[[nodiscard]] inline const char* svg_colour(std::size_t i) {
  return kSvgColours[i % kSvgColours.size()];
}

/// The text with what XML reads as its own replaced.
[[nodiscard]] std::string svg_escaped(std::string_view text);

}  // namespace forerun
