#pragma once

/// Curves against a common axis, with bands, as an SVG picture: one panel above the other. Alone it
/// has a white ground, so that it is readable in light and dark surroundings, and colours told
/// apart by people who see few (Okabe and Ito); in a page it has the page's.

#include <string>
#include <vector>

#include "core/svg.h"

namespace forerun {

struct ChartCurve {
  std::string name;
  std::vector<double> x, y;
  std::vector<double> low, high;  ///< of a band about it, as long as y; empty: none
  bool dashed = false;
  std::size_t colour = 0;  ///< curves of one number have one colour
};

/// A stretch of the x axis to shade, as wide as it is.
struct ChartSpan {
  double from = 0, to = 0;
  std::size_t colour = 0;
};

struct ChartPanel {
  std::string title, x_label, y_label;
  bool log_x = false, log_y = false;
  std::vector<ChartCurve> curves;
  std::vector<ChartSpan> spans;
  /// Limits of y; equal: those of the curves and bands.
  double least_y = 0, most_y = 0;
};

/// Asserts a panel with a curve of two points or more; on a logarithmic axis, values above zero are
/// drawn and others left out.
[[nodiscard]] std::string line_chart_svg(const std::vector<ChartPanel>&);

/// One panel for a page, `width` by `height` with all around it, without title and legend, which
/// the page has.
[[nodiscard]] std::string line_chart_in_page(const ChartPanel&, double width, double height,
                                             const SvgWords&);

}  // namespace forerun
