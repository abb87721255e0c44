#pragma once

/// Who did what when: a row for each, time from left to right. Spans too short to be seen are
/// folded, so that a picture's size follows its pixels and not the number of spans.

#include <string>
#include <vector>

#include "core/svg.h"

namespace forerun {

struct GanttSpan {
  double begin = 0, end = 0;
  std::size_t colour = 0;
};

struct GanttRow {
  std::string name;
  std::vector<GanttSpan> spans;  ///< not overlapping
  std::vector<GanttSpan> strip;  ///< thin, under them; may overlap
};

struct GanttChart {
  std::string x_label;  ///< with the unit of all dates
  double from = 0, to = 0;
  std::size_t idle_colour = 0;  ///< of what no span covers
  std::vector<GanttRow> rows;
};

/// Spans of kGanttLeast pixels or more are drawn where they are. The shorter ones share columns of
/// that width, in each of which every colour is as high as its share of the time. Asserts
/// from < to.
inline constexpr double kGanttLeast = 3;
[[nodiscard]] std::string gantt_svg(const GanttChart&, const SvgLook&);

}  // namespace forerun
