#pragma once

/// What pictures have in common: what they are painted with, and how they are told to people who
/// don't see them.

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

/// How many variables --c0, --c1 ... a page sets for its pictures.
inline constexpr std::size_t kPageColours = 12;

/// A picture that stands alone has colours of its own and a white ground. One that lies in a page
/// has the page's: its variables --ink, --axis, --grid, --paper and --c0 to --c11, so that it
/// follows the page into the dark and onto paper.
struct SvgPaint {
  bool in_page = false;
  const char *text = "#222", *grid = "#ddd", *axis = "#888", *ground = "white";
  [[nodiscard]] std::string colour(std::size_t i) const;
};
inline constexpr SvgPaint kAlone{};
inline constexpr SvgPaint kInPage{true, "var(--ink)", "var(--grid)", "var(--axis)", "var(--paper)"};

/// A picture's name and what it shows, for screen readers; `id` is its own in the page. Empty:
/// nothing is said.
struct SvgWords {
  std::string id, title, description;
};

/// How a picture is drawn: how wide, with which paint, told how.
struct SvgLook {
  double width = 360;
  SvgPaint paint = kInPage;
  SvgWords words;
};

/// The text with what XML reads as its own replaced, and what it refuses (control characters).
[[nodiscard]] std::string svg_escaped(std::string_view text);

/// Opens a picture, its ground painted where it stands alone; "</svg>\n" closes it.
[[nodiscard]] std::string svg_open(double width, double height, const SvgPaint&,
                                   const SvgWords& = {});

/// About how wide a text is in the pictures' 13 px: to leave room for it.
[[nodiscard]] double svg_text_width(std::string_view text);

}  // namespace forerun
