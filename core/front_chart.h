#pragma once

/// Choices by two things of which less is better, with the front: those that no other beats in
/// both.

#include <string>
#include <vector>

#include "core/svg.h"

namespace forerun {

struct FrontPoint {
  double x = 0, y = 0;
  std::string name;  ///< short, beside its mark if there is room; empty: none
  std::string told;  ///< where the pointer rests
  bool on_front = false;
  bool chosen = false;  ///< marked
};

struct FrontChart {
  std::string x_label, y_label;
  bool log_x = false, log_y = false;
  std::vector<FrontPoint> points;
};

/// The front is a staircase: what lies right of and above it is beaten. Asserts a point, and on
/// logarithmic axes values above 0.
[[nodiscard]] std::string front_chart_svg(const FrontChart&, const SvgLook&);

/// Which of the points no other beats: none is at most as large in both and smaller in one.
[[nodiscard]] std::vector<bool> front_of(const std::vector<FrontPoint>&);

}  // namespace forerun
