#pragma once

/// Horizontal bars with whiskers, each under its name and what it is worth; and one bar of several
/// parts.

#include <string>
#include <vector>

#include "core/svg.h"

namespace forerun {

struct ChartBar {
  std::string name, shown;   ///< left above the bar; right above it, with its unit
  double value = 0;          ///< 0 or more
  double low = 0, high = 0;  ///< ends of the whisker; equal: none
  std::size_t colour = 0;
};
/// All to one scale from 0. Asserts a bar, and numbers that are finite and not below 0.
[[nodiscard]] std::string bar_chart_svg(const std::vector<ChartBar>&, const SvgLook&);

struct BarPart {
  std::string name, shown;  ///< told where the pointer rests
  double value = 0;
  std::size_t colour = 0;
};
/// One bar from edge to edge, cut in proportion; parts of nothing are left out. Asserts a sum above
/// 0. What the colours mean is left to a table beside.
[[nodiscard]] std::string stacked_bar_svg(const std::vector<BarPart>&, const SvgLook&);

}  // namespace forerun
