#pragma once

/// Columns of parts on top of each other, each against its limit.

#include <string>
#include <vector>

#include "core/svg.h"

namespace forerun {

struct StackedColumn {
  std::string name, told;     ///< below it, if there is room; where the pointer rests
  std::vector<double> parts;  ///< from below; part i has colours[i]. 0 or more
  double limit = 0;           ///< a line across it; 0: none
};
struct ColumnChart {
  std::string x_label, y_label;
  std::vector<std::size_t> colours;
  std::vector<StackedColumn> columns;
};

/// What the colours mean is left to a table beside. Asserts a column.
[[nodiscard]] std::string column_chart_svg(const ColumnChart&, const SvgLook&);

}  // namespace forerun
