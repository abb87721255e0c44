#pragma once

/// How often values occur, with marks: percentiles, limits.

#include <string>
#include <vector>

#include "core/svg.h"

namespace forerun {

struct HistogramMark {
  double at = 0;
  std::string text;       ///< short: it stands above the mark
  bool is_limit = false;  ///< dashed: not of the values themselves
};

struct Histogram {
  std::vector<double> values;
  std::string x_label, y_label;  ///< y: "of 200 runs, %"
  std::vector<HistogramMark> marks;
  double from = 0, to = 0;  ///< the stretch whose bars are drawn full; equal: all
};

/// Bars as wide as Freedman and Diaconis (1981) choose, 2 IQR / n^(1/3), rounded, at most about 40;
/// their heights are shares in per cent. Values more than twice the distance of the 10th and 90th
/// percentile outside of them are told in words, and a mark further outside than the bars are wide
/// stands at the edge with an arrow. Asserts a value, and that all are finite.
[[nodiscard]] std::string histogram_svg(const Histogram&, const SvgLook&);

/// Edges of the bars, rising and equally far apart, around all values but those far outside.
[[nodiscard]] std::vector<double> histogram_edges(const std::vector<double>& values);

}  // namespace forerun
