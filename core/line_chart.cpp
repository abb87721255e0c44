#include "core/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/error.h"
#include "core/svg.h"

namespace forerun {
namespace {

constexpr double kWidth = 640, kHeight = 260, kLeft = 80, kTop = 44, kBelow = 56;
/// Beside the panels, for the legend: at least, and for each letter of the longest name.
constexpr double kLegend = 190, kLetter = 7.6, kSample = 52;

struct Axis {
  bool log = false;
  double least = 0, most = 1;
  [[nodiscard]] bool shows(double v) const { return std::isfinite(v) && (!log || v > 0); }
  [[nodiscard]] double share(double v) const {
    if (log) return std::log(v / least) / std::log(most / least);
    return (v - least) / (most - least);
  }
  void take(double v) {
    if (!shows(v)) return;
    least = std::min(least, v);
    most = std::max(most, v);
  }
};

std::string label_of(double v) {
  const double size = std::abs(v);
  if (size >= 1e12) return fmt::format("{:g}T", v / 1e12);
  if (size >= 1e9) return fmt::format("{:g}B", v / 1e9);
  if (size >= 1e6) return fmt::format("{:g}M", v / 1e6);
  if (size >= 1e4) return fmt::format("{:g}k", v / 1e3);
  return fmt::format("{:g}", v);
}

std::vector<double> decades(const Axis& axis) {
  std::vector<double> out;
  for (double d = std::floor(std::log10(axis.least)); d <= std::log10(axis.most) + 1e-9; d += 1) {
    const double v = std::pow(10.0, d);
    if (v >= axis.least * (1 - 1e-9)) out.push_back(v);
  }
  return out.size() >= 2 ? out : std::vector<double>{axis.least, axis.most};
}

class Panel {
 public:
  Panel(const ChartPanel& panel, double top) : p_(panel), top_(top) {
    x_.log = panel.log_x;
    y_.log = panel.log_y;
    x_.least = y_.least = 1e300;
    x_.most = y_.most = -1e300;
    for (const ChartCurve& c : panel.curves) {
      FORERUN_ASSERT(c.x.size() == c.y.size() && (c.low.empty() || c.low.size() == c.y.size()) &&
                         c.low.size() == c.high.size(),
                     c.name);
      for (std::size_t i = 0; i < c.x.size(); ++i) {
        x_.take(c.x[i]);
        y_.take(c.y[i]);
        if (c.low.empty()) continue;
        y_.take(c.low[i]);
        y_.take(c.high[i]);
      }
    }
    if (panel.least_y < panel.most_y) {
      y_.least = panel.least_y;
      y_.most = panel.most_y;
    } else if (!y_.log) {
      const double room = 0.04 * std::max(y_.most - y_.least, 1e-12);
      y_.least -= room;
      y_.most += room;
    }
    FORERUN_ASSERT(x_.least < x_.most && y_.least < y_.most, panel.title);
  }

  [[nodiscard]] std::string svg() const {
    std::string out = frame();
    for (const ChartSpan& s : p_.spans) {
      out += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\" "
          "opacity=\"0.12\"/>\n",
          across(s.from), top_, across(s.to) - across(s.from), kHeight, svg_colour(s.colour));
    }
    for (const ChartCurve& c : p_.curves) out += band(c);
    double legend = top_ + 14;
    for (const ChartCurve& c : p_.curves) {
      out += curve(c);
      out += fmt::format(
          "<path d=\"M{0:.1f} {1:.1f}h20\" stroke=\"{2}\" stroke-width=\"2\"{3}/>\n"
          "<text x=\"{4:.1f}\" y=\"{5:.1f}\">{6}</text>\n",
          kLeft + kWidth + 12, legend - 4, svg_colour(c.colour),
          c.dashed ? " stroke-dasharray=\"5 4\"" : "", kLeft + kWidth + 38, legend,
          svg_escaped(c.name));
      legend += 20;
    }
    return out;
  }

 private:
  [[nodiscard]] double across(double x) const {
    return kLeft + kWidth * std::clamp(x_.share(x), 0.0, 1.0);
  }
  [[nodiscard]] double up(double y) const {
    return top_ + kHeight * (1 - std::clamp(y_.share(y), 0.0, 1.0));
  }
  [[nodiscard]] bool shows(double x, double y) const { return x_.shows(x) && y_.shows(y); }

  [[nodiscard]] std::string frame() const {
    std::string out = fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"15\">{}</text>\n",
                                  kLeft, top_ - 14, svg_escaped(p_.title));
    for (const double t : y_.log ? decades(y_) : axis_ticks(y_.least, y_.most, 5)) {
      out += fmt::format(
          "<path d=\"M{:.1f} {:.1f}h{:.1f}\" stroke=\"#ddd\"/>\n<text x=\"{:.1f}\" y=\"{:.1f}\" "
          "text-anchor=\"end\">{}</text>\n",
          kLeft, up(t), kWidth, kLeft - 8, up(t) + 4, label_of(t));
    }
    for (const double t : x_.log ? decades(x_) : axis_ticks(x_.least, x_.most, 6)) {
      out += fmt::format(
          "<path d=\"M{0:.1f} {1:.1f}v5\" stroke=\"#888\"/>\n<text x=\"{0:.1f}\" y=\"{2:.1f}\" "
          "text-anchor=\"middle\">{3}</text>\n",
          across(t), top_ + kHeight, top_ + kHeight + 20, label_of(t));
    }
    out += fmt::format(
        "<path d=\"M{0:.1f} {1:.1f}V{2:.1f}H{3:.1f}\" fill=\"none\" "
        "stroke=\"#888\"/>\n",
        kLeft, top_, top_ + kHeight, kLeft + kWidth);
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                       kLeft + kWidth / 2, top_ + kHeight + 40, svg_escaped(p_.x_label));
    out += fmt::format(
        "<text transform=\"translate(18 {:.1f}) rotate(-90)\" "
        "text-anchor=\"middle\">{}</text>\n",
        top_ + kHeight / 2, svg_escaped(p_.y_label));
    return out;
  }

  [[nodiscard]] std::string band(const ChartCurve& c) const {
    if (c.low.empty()) return {};
    std::string points;
    for (std::size_t i = 0; i < c.x.size(); ++i) {
      if (shows(c.x[i], c.high[i])) {
        points += fmt::format("{:.1f},{:.1f} ", across(c.x[i]), up(c.high[i]));
      }
    }
    for (std::size_t i = c.x.size(); i-- > 0;) {
      if (shows(c.x[i], c.low[i])) {
        points += fmt::format("{:.1f},{:.1f} ", across(c.x[i]), up(c.low[i]));
      }
    }
    return fmt::format("<polygon points=\"{}\" fill=\"{}\" opacity=\"0.15\"/>\n", points,
                       svg_colour(c.colour));
  }

  [[nodiscard]] std::string curve(const ChartCurve& c) const {
    std::string points;
    for (std::size_t i = 0; i < c.x.size(); ++i) {
      if (shows(c.x[i], c.y[i])) {
        points += fmt::format("{:.1f},{:.1f} ", across(c.x[i]), up(c.y[i]));
      }
    }
    return fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{}/>\n", points,
        svg_colour(c.colour), c.dashed ? " stroke-dasharray=\"5 4\"" : "");
  }

  const ChartPanel& p_;
  double top_;
  Axis x_, y_;
};

}  // namespace

std::vector<double> axis_ticks(double least, double most, int count) {
  FORERUN_ASSERT(least < most && count > 0, fmt::format("{} to {}", least, most));
  const double raw = (most - least) / count;
  const double unit = std::pow(10.0, std::floor(std::log10(raw)));
  double step = 10 * unit;
  for (const double nice : {1.0, 2.0, 2.5, 5.0}) {
    if (nice * unit >= raw * (1 - 1e-9)) {
      step = nice * unit;
      break;
    }
  }
  std::vector<double> out;
  const double first = std::ceil(least / step - 1e-9);
  for (double i = first; i * step <= most + 1e-9 * step; i += 1) {
    out.push_back(i == 0 ? 0.0 : i * step);
  }
  return out;
}

std::string line_chart_svg(const std::vector<ChartPanel>& panels) {
  FORERUN_ASSERT(!panels.empty(), "a chart without panels");
  std::size_t longest = 0;
  for (const ChartPanel& panel : panels) {
    for (const ChartCurve& c : panel.curves) longest = std::max(longest, c.name.size());
  }
  const double right = std::max(kLegend, kSample + kLetter * static_cast<double>(longest));
  const double width = kLeft + kWidth + right, each = kTop + kHeight + kBelow;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n<rect width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" fill=\"white\"/>\n",
      width, each * static_cast<double>(panels.size()));
  for (std::size_t i = 0; i < panels.size(); ++i) {
    FORERUN_ASSERT(!panels[i].curves.empty(), panels[i].title);
    out += Panel(panels[i], each * static_cast<double>(i) + kTop).svg();
  }
  return out + "</svg>\n";
}

}  // namespace forerun
