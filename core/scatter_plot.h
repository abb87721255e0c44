#pragma once

/// Measured against predicted values, as an SVG picture that stands alone.

#include <functional>
#include <string>
#include <vector>

namespace forerun {

struct ScatterPoint {
  double measured = 0, predicted = 0;  ///< left out where either is 0 or less
  bool hollow = false;
};
struct ScatterFamily {
  std::string name, note;  ///< a line each of the legend
  std::vector<ScatterPoint> points;
  bool hollow = false;  ///< its mark in the legend
};
struct ScatterPlot {
  std::string title, subtitle, what;  ///< "time": measured time, predicted time
  double band = 0.1;                  ///< shaded about the line where both agree
  std::function<std::string(double)> show;
  std::vector<ScatterFamily> families;
};

/// Both axes logarithmic and alike, a line where both agree with a band about it, one colour and
/// mark a family. Empty families do not appear.
[[nodiscard]] std::string scatter_svg(const ScatterPlot&);

}  // namespace forerun
