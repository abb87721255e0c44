#include "core/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/chart_axis.h"
#include "core/error.h"

namespace forerun {
namespace {

constexpr double kWidth = 640, kHeight = 260, kLeft = 80, kTop = 44, kBelow = 56;
/// Beside the panels, for the legend: at least, and for each letter of the longest name.
constexpr double kLegend = 190, kLetter = 7.6, kSample = 52;
/// In a page: y's name stands above, so that less is left of the frame; a label of x needs so much.
constexpr double kPageLeft = 52, kPageTop = 26, kPageRight = 20, kPageLabel = 78;

class Panel {
 public:
  Panel(const ChartPanel& panel, const ChartFrame& frame, const SvgPaint& paint)
      : p_(panel), paint_(paint), frame_(frame) {
    ChartAxis& x = frame_.x = ChartAxis::empty(panel.log_x);
    ChartAxis& y = frame_.y = ChartAxis::empty(panel.log_y);
    for (const ChartCurve& c : panel.curves) {
      FORERUN_ASSERT(c.x.size() == c.y.size() && (c.low.empty() || c.low.size() == c.y.size()) &&
                         c.low.size() == c.high.size(),
                     c.name);
      for (std::size_t i = 0; i < c.x.size(); ++i) {
        x.take(c.x[i]);
        y.take(c.y[i]);
        if (c.low.empty()) continue;
        y.take(c.low[i]);
        y.take(c.high[i]);
      }
    }
    if (panel.least_y < panel.most_y) {
      y.least = panel.least_y;
      y.most = panel.most_y;
    } else if (!y.log) {
      const double room = 0.04 * std::max(y.most - y.least, 1e-12);
      y.least -= room;
      y.most += room;
    }
    FORERUN_ASSERT(x.least < x.most && y.least < y.most, panel.title);
  }

  [[nodiscard]] std::string svg() const {
    std::string out = fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"15\">{}</text>\n",
                                  frame_.left, frame_.top - 14, svg_escaped(p_.title));
    out += frame_svg(frame_, {p_.x_label, p_.y_label}, paint_) + spans();
    for (const ChartCurve& c : p_.curves) out += band(c);
    double legend = frame_.top + 14;
    for (const ChartCurve& c : p_.curves) {
      out += curve(c);
      out += fmt::format(
          "<path d=\"M{0:.1f} {1:.1f}h20\" stroke=\"{2}\" stroke-width=\"2\"{3}/>\n"
          "<text x=\"{4:.1f}\" y=\"{5:.1f}\">{6}</text>\n",
          frame_.right() + 12, legend - 4, paint_.colour(c.colour),
          c.dashed ? " stroke-dasharray=\"5 4\"" : "", frame_.right() + 38, legend,
          svg_escaped(c.name));
      legend += 20;
    }
    return out;
  }

  [[nodiscard]] std::string svg_without_legend() const {
    ChartLabels labels{p_.x_label, p_.y_label};
    labels.x_count = std::max(2, static_cast<int>(frame_.width / kPageLabel));
    labels.y_above = true;
    std::string out = frame_svg(frame_, labels, paint_) + spans();
    for (const ChartCurve& c : p_.curves) out += band(c);
    for (const ChartCurve& c : p_.curves) out += curve(c);
    return out;
  }

 private:
  [[nodiscard]] bool shows(double x, double y) const {
    return frame_.x.shows(x) && frame_.y.shows(y);
  }

  [[nodiscard]] std::string spans() const {
    std::string out;
    for (const ChartSpan& s : p_.spans) {
      out += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\" "
          "opacity=\"0.12\"/>\n",
          frame_.across(s.from), frame_.top, frame_.across(s.to) - frame_.across(s.from),
          frame_.height, paint_.colour(s.colour));
    }
    return out;
  }

  [[nodiscard]] std::string band(const ChartCurve& c) const {
    if (c.low.empty()) return {};
    std::string points;
    for (std::size_t i = 0; i < c.x.size(); ++i) {
      if (shows(c.x[i], c.high[i])) points += point(c.x[i], c.high[i]);
    }
    for (std::size_t i = c.x.size(); i-- > 0;) {
      if (shows(c.x[i], c.low[i])) points += point(c.x[i], c.low[i]);
    }
    return fmt::format("<polygon points=\"{}\" fill=\"{}\" opacity=\"0.15\"/>\n", points,
                       paint_.colour(c.colour));
  }

  [[nodiscard]] std::string curve(const ChartCurve& c) const {
    std::string points;
    for (std::size_t i = 0; i < c.x.size(); ++i) {
      if (shows(c.x[i], c.y[i])) points += point(c.x[i], c.y[i]);
    }
    return fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{}/>\n", points,
        paint_.colour(c.colour), c.dashed ? " stroke-dasharray=\"5 4\"" : "");
  }

  [[nodiscard]] std::string point(double x, double y) const {
    return fmt::format("{:.1f},{:.1f} ", frame_.across(x), frame_.up(y));
  }

  const ChartPanel& p_;
  const SvgPaint& paint_;
  ChartFrame frame_;
};

}  // namespace

std::string line_chart_svg(const std::vector<ChartPanel>& panels) {
  FORERUN_ASSERT(!panels.empty(), "a chart without panels");
  std::size_t longest = 0;
  for (const ChartPanel& panel : panels) {
    for (const ChartCurve& c : panel.curves) longest = std::max(longest, c.name.size());
  }
  const double right = std::max(kLegend, kSample + kLetter * static_cast<double>(longest));
  const double width = kLeft + kWidth + right, each = kTop + kHeight + kBelow;
  std::string out = svg_open(width, each * static_cast<double>(panels.size()), kAlone);
  for (std::size_t i = 0; i < panels.size(); ++i) {
    FORERUN_ASSERT(!panels[i].curves.empty(), panels[i].title);
    const double top = each * static_cast<double>(i) + kTop;
    out += Panel(panels[i], {kLeft, top, kWidth, kHeight, {}, {}}, kAlone).svg();
  }
  return out + "</svg>\n";
}

std::string line_chart_in_page(const ChartPanel& panel, double width, double height,
                               const SvgWords& words) {
  FORERUN_ASSERT(!panel.curves.empty(), panel.title);
  const ChartFrame frame{
      kPageLeft, kPageTop, width - kPageLeft - kPageRight, height - kPageTop - kBelow, {}, {}};
  return svg_open(width, height, kInPage, words) +
         Panel(panel, frame, kInPage).svg_without_legend() + "</svg>\n";
}

}  // namespace forerun
