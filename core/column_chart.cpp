#include "core/column_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/chart_axis.h"
#include "core/error.h"

namespace forerun {
namespace {

constexpr double kPlot = 190, kLeft = 40, kRight = 8, kTop = 28, kBelow = 50;
/// A column is no wider than this, and takes no more of its place.
constexpr double kWidest = 56, kFilled = 0.78;

}  // namespace

std::string column_chart_svg(const ColumnChart& chart, const SvgLook& look) {
  FORERUN_ASSERT(!chart.columns.empty(), "a chart without columns");
  ChartFrame frame{kLeft, kTop, look.width - kLeft - kRight, kPlot, {}, {false, 0, 0}};
  double longest = 0;
  for (const StackedColumn& c : chart.columns) {
    FORERUN_ASSERT(c.parts.size() == chart.colours.size(), c.name);
    double sum = 0;
    for (const double part : c.parts) sum += part;
    FORERUN_ASSERT(std::isfinite(sum), c.name);
    frame.y.take(1.04 * std::max(sum, c.limit));
    longest = std::max(longest, svg_text_width(c.name));
  }
  if (frame.y.most <= 0) frame.y.most = 1;
  const double place = frame.width / static_cast<double>(chart.columns.size());
  const double wide = std::min(kWidest, kFilled * place);
  const auto every = static_cast<std::size_t>(std::max(1.0, std::ceil((longest + 6) / place)));
  std::string out = svg_open(look.width, frame.bottom() + kBelow, look.paint, look.words);
  out += frame_svg_without_x(frame, {chart.x_label, chart.y_label, 1, 5, true}, look.paint);
  std::string limits;
  for (std::size_t i = 0; i < chart.columns.size(); ++i) {
    const StackedColumn& c = chart.columns[i];
    const double middle = frame.left + place * (static_cast<double>(i) + 0.5);
    double below = 0;
    out += fmt::format("<g><title>{}</title>", svg_escaped(c.told));
    for (std::size_t k = 0; k < c.parts.size(); ++k) {
      if (c.parts[k] <= 0) continue;
      const double bottom = frame.up(below), top = frame.up(below + c.parts[k]);
      below += c.parts[k];
      // A hair between parts, so that they are told apart without colour.
      const double gap = bottom - top > 2 ? 0.8 : 0;
      out += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.2f}\" width=\"{:.1f}\" height=\"{:.2f}\" fill=\"{}\"/>",
          middle - wide / 2, top + gap, wide, bottom - top - gap,
          look.paint.colour(chart.colours[k]));
    }
    out += "</g>\n";
    if (i % every == 0) {
      out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                         middle, frame.bottom() + 18, svg_escaped(c.name));
    }
    if (c.limit > 0) {
      limits += fmt::format("M{:.1f} {:.1f}h{:.1f}", middle - place / 2, frame.up(c.limit), place);
    }
  }
  if (!limits.empty()) {
    out += fmt::format(
        "<path d=\"{}\" stroke=\"{}\" stroke-width=\"2\" stroke-dasharray=\"6 4\" "
        "fill=\"none\"/>\n",
        limits, look.paint.text);
  }
  return out + "</svg>\n";
}

}  // namespace forerun
