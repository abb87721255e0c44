#pragma once

/// Axes of pictures: which values they show, where, and how they are labelled.

#include <string>
#include <vector>

#include "core/svg.h"

namespace forerun {

struct ChartAxis {
  bool log = false;
  double least = 0, most = 1;
  /// Not on a logarithmic axis what is 0 or less.
  [[nodiscard]] bool shows(double v) const;
  /// Of the axis, 0 at `least` and 1 at `most`, where it shows the value.
  [[nodiscard]] double share(double v) const;
  /// Widened to hold the value, if it can be shown.
  void take(double v);
  /// Round values to label it with: about `count`, or the decades.
  [[nodiscard]] std::vector<double> ticks(int count) const;
  /// Of nothing yet: take() decides.
  [[nodiscard]] static ChartAxis empty(bool log);
};

/// Round values to label an axis from `least` to `most` with: about `count` of them, rising.
[[nodiscard]] std::vector<double> axis_ticks(double least, double most, int count);
/// "12k", "3M".
[[nodiscard]] std::string axis_label(double v);

/// The rectangle in which values are drawn.
struct ChartFrame {
  double left = 0, top = 0, width = 0, height = 0;
  ChartAxis x, y;
  [[nodiscard]] double across(double v) const;  ///< held inside the rectangle
  [[nodiscard]] double up(double v) const;
  [[nodiscard]] double right() const { return left + width; }
  [[nodiscard]] double bottom() const { return top + height; }
};

/// How many labels an axis has room for, and whether y's name stands above it in place of along it.
struct ChartLabels {
  std::string x, y;
  int x_count = 6, y_count = 5;
  bool y_above = false;
};
/// Grid, ticks with their labels, the two axes' lines and names.
[[nodiscard]] std::string frame_svg(const ChartFrame&, const ChartLabels&, const SvgPaint&);
/// The same of y alone, and the line of x: for pictures that label x themselves.
[[nodiscard]] std::string frame_svg_without_x(const ChartFrame&, const ChartLabels&,
                                              const SvgPaint&);

}  // namespace forerun
