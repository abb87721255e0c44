#include "core/gantt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/chart_axis.h"
#include "core/error.h"

namespace forerun {
namespace {

constexpr double kRow = 15, kStrip = 4, kBetween = 6, kBelow = 46, kTop = 4, kRight = 14;
constexpr double kLabel = 90;  // of x, in pixels

/// A coordinate in as few letters as its tenths need.
std::string number(double v) {
  std::string out = fmt::format("{:.1f}", v);
  if (out.ends_with(".0")) out.resize(out.size() - 2);
  return out == "-0" ? "0" : out;
}

/// Rectangles by colour, each colour one path.
class Painter {
 public:
  void rectangle(std::size_t colour, double x, double y, double width, double height) {
    // Ends are rounded, not widths, so that what touches still does.
    const double left = std::round(10 * x) / 10, right = std::round(10 * (x + width)) / 10;
    const std::string w = number(right - left);
    paths_[colour] +=
        fmt::format("M{} {}h{}v{}h-{}z", number(left), number(y), w, number(height), w);
  }
  [[nodiscard]] std::string svg(const SvgPaint& paint) const {
    // Crisp: neighbours that touch show no seam.
    std::string out = "<g shape-rendering=\"crispEdges\">\n";
    for (const auto& [colour, path] : paths_) {
      out += fmt::format("<path d=\"{}\" fill=\"{}\"/>\n", path, paint.colour(colour));
    }
    return out + "</g>\n";
  }

 private:
  std::map<std::size_t, std::string> paths_;
};

/// What short spans leave in a column: by colour, the share of its time.
using Column = std::map<std::size_t, double>;

class Lane {
 public:
  Lane(const GanttChart& chart, double left, double width)
      : from_(chart.from), to_(chart.to), left_(left), scale_(width / (chart.to - chart.from)) {
    columns_.resize(static_cast<std::size_t>(std::ceil(width / kGanttLeast)));
  }

  void draw(const std::vector<GanttSpan>& spans, double top, double height, Painter& painter) {
    for (Column& c : columns_) c.clear();
    for (const GanttSpan& s : spans) {
      const double begin = scale_ * (std::max(s.begin, from_) - from_);
      const double end = scale_ * (std::min(s.end, to_) - from_);
      if (end - begin < kGanttLeast && begin < end) share_out(s.colour, begin, end);
    }
    draw_columns(top, height, painter);
    for (const GanttSpan& s : spans) {
      const double begin = scale_ * (std::max(s.begin, from_) - from_);
      const double end = scale_ * (std::min(s.end, to_) - from_);
      if (end - begin >= kGanttLeast) {
        painter.rectangle(s.colour, left_ + begin, top, end - begin, height);
      }
    }
  }

 private:
  void share_out(std::size_t colour, double begin, double end) {
    while (begin < end) {
      const auto at = std::min(static_cast<std::size_t>(begin / kGanttLeast), columns_.size() - 1);
      const double next = std::min(end, kGanttLeast * static_cast<double>(at + 1));
      columns_[at][colour] += (next - begin) / kGanttLeast;
      if (next <= begin) break;  // a rounding at the last column's edge
      begin = next;
    }
  }

  /// Neighbours that look the same are one rectangle.
  void draw_columns(double top, double height, Painter& painter) const {
    const auto tenths = [&](double share) { return std::round(2 * share * height) / 2; };
    struct Run {
      double from = 0, height = 0, bottom = 0;
      std::size_t to = 0;
    };
    std::map<std::size_t, Run> open;  // by colour
    const auto close = [&](std::size_t colour, const Run& r) {
      painter.rectangle(colour, left_ + r.from, top + height - r.bottom - r.height,
                        kGanttLeast * static_cast<double>(r.to) - r.from, r.height);
    };
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      double bottom = 0;
      for (const auto& [colour, share] : columns_[i]) {
        const double high = std::min(tenths(share), height - bottom);
        if (high <= 0) continue;
        const auto found = open.find(colour);
        if (found != open.end() && found->second.to == i && found->second.height == high &&
            found->second.bottom == bottom) {
          found->second.to = i + 1;
        } else {
          if (found != open.end()) close(colour, found->second);
          open[colour] = {kGanttLeast * static_cast<double>(i), high, bottom, i + 1};
        }
        bottom += high;
      }
    }
    for (const auto& [colour, run] : open) close(colour, run);
  }

  double from_, to_, left_, scale_;
  std::vector<Column> columns_;
};

}  // namespace

std::string gantt_svg(const GanttChart& chart, const SvgLook& look) {
  FORERUN_ASSERT(chart.from < chart.to, fmt::format("{} to {}", chart.from, chart.to));
  double left = 8;
  bool strips = false;
  for (const GanttRow& row : chart.rows) {
    left = std::max(left, svg_text_width(row.name) + 10);
    strips = strips || !row.strip.empty();
  }
  const double width = look.width - left - kRight;
  const double each = kRow + (strips ? kStrip + 1 : 0) + kBetween;
  const double bottom = kTop + each * static_cast<double>(chart.rows.size());
  std::string out = svg_open(look.width, bottom + kBelow, look.paint, look.words);
  Painter idle, painter;
  Lane lane(chart, left, width);
  double top = kTop;
  for (const GanttRow& row : chart.rows) {
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left - 8,
                       top + kRow - 3, svg_escaped(row.name));
    idle.rectangle(chart.idle_colour, left, top, width, kRow);
    lane.draw(row.spans, top, kRow, painter);
    if (!row.strip.empty()) lane.draw(row.strip, top + kRow + 1, kStrip, painter);
    top += each;
  }
  out += idle.svg(look.paint) + painter.svg(look.paint);
  ChartAxis axis{false, chart.from, chart.to};
  for (const double t : axis.ticks(std::max(2, static_cast<int>(width / kLabel)))) {
    const double x = left + width * axis.share(t);
    out += fmt::format(
        "<path d=\"M{0:.1f} {1:.1f}v5\" stroke=\"{4}\"/>\n<text x=\"{0:.1f}\" y=\"{2:.1f}\" "
        "text-anchor=\"middle\">{3}</text>\n",
        x, bottom, bottom + 20, axis_label(t), look.paint.axis);
  }
  out += fmt::format(
      "<path d=\"M{:.1f} {:.1f}h{:.1f}\" stroke=\"{}\"/>\n<text x=\"{:.1f}\" y=\"{:.1f}\" "
      "text-anchor=\"middle\">{}</text>\n",
      left, bottom, width, look.paint.axis, left + width / 2, bottom + 40,
      svg_escaped(chart.x_label));
  return out + "</svg>\n";
}

}  // namespace forerun
