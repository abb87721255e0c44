#pragma once

/// Curves against a common axis, with bands, as an SVG picture that stands alone: one panel above
/// the other. Readable in light and dark surroundings (white ground), colours told apart by people
/// who see few (Okabe and Ito).

#include <string>
#include <vector>

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

/// Round values to label an axis from `least` to `most` with: about `count` of them, rising.
[[nodiscard]] std::vector<double> axis_ticks(double least, double most, int count);

}  // namespace forerun
