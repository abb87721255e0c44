#include "core/front_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/chart_axis.h"
#include "core/error.h"

namespace forerun {
namespace {

constexpr double kPlot = 300, kLeft = 56, kRight = 16, kTop = 28, kBelow = 52, kText = 13;
constexpr double kLabel = 84;  // of x, in pixels

struct Box {
  double left, top, right, bottom;
  [[nodiscard]] bool meets(const Box& o) const {
    return left < o.right && o.left < right && top < o.bottom && o.top < bottom;
  }
};

/// A little room about the values, so that no mark is cut.
ChartAxis roomy(ChartAxis axis) {
  if (axis.log) {
    const double factor = std::pow(std::max(axis.most / axis.least, 1.1), 0.06);
    axis.least /= factor;
    axis.most *= factor;
    return axis;
  }
  const double room = 0.06 * std::max(axis.most - axis.least, 1e-3 * std::abs(axis.most) + 1e-12);
  axis.least -= room;
  axis.most += room;
  return axis;
}

std::string staircase(const std::vector<FrontPoint>& points, const ChartFrame& f,
                      const SvgPaint& paint) {
  std::vector<std::array<double, 2>> front;
  for (const FrontPoint& p : points) {
    if (p.on_front) front.push_back({p.x, p.y});
  }
  if (front.empty()) return {};
  std::ranges::sort(front);
  std::string path =
      fmt::format("M{:.1f} {:.1f}V{:.1f}", f.across(front[0][0]), f.top, f.up(front[0][1]));
  for (std::size_t i = 1; i < front.size(); ++i) {
    path += fmt::format("H{:.1f}V{:.1f}", f.across(front[i][0]), f.up(front[i][1]));
  }
  return fmt::format("<path d=\"{}H{:.1f}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n",
                     path, f.right(), paint.colour(0));
}

/// Names beside their marks where they meet neither a mark nor each other.
std::string names(const std::vector<FrontPoint>& points, const ChartFrame& f) {
  std::vector<Box> taken;
  for (const FrontPoint& p : points) {
    if (!p.on_front && !p.chosen) continue;
    const double x = f.across(p.x), y = f.up(p.y);
    const double mark = p.chosen ? 10 : 6;
    taken.push_back({x - mark, y - mark, x + mark, y + mark});
  }
  std::string out;
  for (const FrontPoint& p : points) {
    if (p.name.empty()) continue;
    const double x = f.across(p.x), y = f.up(p.y), wide = svg_text_width(p.name);
    const double right = x + (p.chosen ? 11 : 7), left = x - (p.chosen ? 11 : 7) - wide;
    const std::array<Box, 4> places = {{{right, y - 15, right + wide, y - 15 + kText},
                                        {left, y + 4, left + wide, y + 4 + kText},
                                        {right, y + 3, right + wide, y + 3 + kText},
                                        {left, y - 15, left + wide, y - 15 + kText}}};
    for (const Box& b : places) {
      if (b.left < f.left || b.right > f.right() + kRight || b.top < f.top - 12 ||
          b.bottom > f.bottom() ||
          std::ranges::any_of(taken, [&](const Box& t) { return t.meets(b); })) {
        continue;
      }
      taken.push_back(b);
      out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", b.left, b.bottom - 3,
                         svg_escaped(p.name));
      break;
    }
  }
  return out;
}

}  // namespace

std::vector<bool> front_of(const std::vector<FrontPoint>& points) {
  std::vector<bool> out;
  for (const FrontPoint& p : points) {
    out.push_back(std::ranges::none_of(points, [&](const FrontPoint& q) {
      return q.x <= p.x && q.y <= p.y && (q.x < p.x || q.y < p.y);
    }));
  }
  return out;
}

std::string front_chart_svg(const FrontChart& chart, const SvgLook& look) {
  FORERUN_ASSERT(!chart.points.empty(), "a front without points");
  ChartFrame f{kLeft,
               kTop,
               look.width - kLeft - kRight,
               kPlot,
               ChartAxis::empty(chart.log_x),
               ChartAxis::empty(chart.log_y)};
  for (const FrontPoint& p : chart.points) {
    FORERUN_ASSERT(f.x.shows(p.x) && f.y.shows(p.y), fmt::format("{}: {}, {}", p.told, p.x, p.y));
    f.x.take(p.x);
    f.y.take(p.y);
  }
  f.x = roomy(f.x);
  f.y = roomy(f.y);
  std::string out = svg_open(look.width, f.bottom() + kBelow, look.paint, look.words);
  const int count = std::max(2, static_cast<int>(f.width / kLabel));
  out += frame_svg(f, {chart.x_label, chart.y_label, count, 5, true}, look.paint);
  out += staircase(chart.points, f, look.paint);
  // Those on the front last, so that none is hidden.
  for (const bool front : {false, true}) {
    for (const FrontPoint& p : chart.points) {
      if ((p.on_front || p.chosen) != front) continue;
      const double x = f.across(p.x), y = f.up(p.y);
      const std::string told =
          p.told.empty() ? "" : fmt::format("<title>{}</title>", svg_escaped(p.told));
      out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\"{}>{}</circle>\n",
                         x, y, front ? 5 : 3, look.paint.colour(front ? 0 : 11),
                         front ? "" : " opacity=\"0.6\"", told);
      if (p.chosen) {
        out += fmt::format(
            "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"9\" fill=\"none\" stroke=\"{}\" "
            "stroke-width=\"2\"/>\n",
            x, y, look.paint.colour(1));
      }
    }
  }
  return out + names(chart.points, f) + "</svg>\n";
}

}  // namespace forerun
