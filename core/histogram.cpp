#include "core/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/chart_axis.h"
#include "core/error.h"
#include "core/statistics.h"

namespace forerun {
namespace {

constexpr double kPlot = 150, kLeft = 40, kRight = 20, kBelow = 52, kName = 20, kLine = 16;
constexpr int kMostBars = 40, kLeastBars = 6;
constexpr double kLabel = 64;  // of x, in pixels
constexpr double kFar = 2;     // distances of the 10th and 90th percentile

/// Where each mark's text begins and in which line above the plot it stands, so that none meets
/// another.
struct Placed {
  double x = 0, text_left = 0;
  int line = 0;
  char arrow = ' ';
};

std::vector<Placed> place(const std::vector<HistogramMark>& marks, const ChartFrame& frame,
                          double width) {
  std::vector<std::size_t> order(marks.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return marks[a].at < marks[b].at; });
  std::vector<Placed> out(marks.size());
  std::vector<double> ends;  // of each line
  for (const std::size_t i : order) {
    Placed& p = out[i];
    p.x = frame.across(marks[i].at);
    if (marks[i].at > frame.x.most) p.arrow = '>';
    if (marks[i].at < frame.x.least) p.arrow = '<';
    const double room = svg_text_width(marks[i].text) + (p.arrow == ' ' ? 0 : 16);
    p.text_left = std::clamp(p.x - room / 2, 0.0, std::max(0.0, width - room));
    std::size_t line = 0;
    while (line < ends.size() && ends[line] + 8 > p.text_left) ++line;
    if (line == ends.size()) ends.push_back(0);
    ends[line] = p.text_left + room;
    p.line = static_cast<int>(line);
  }
  return out;
}

}  // namespace

std::vector<double> histogram_edges(const std::vector<double>& values) {
  FORERUN_ASSERT(!values.empty(), "a histogram of nothing");
  auto [low, high] = std::ranges::minmax(values);
  FORERUN_ASSERT(std::isfinite(low) && std::isfinite(high), fmt::format("{} to {}", low, high));
  const double p10 = quantile(values, 0.1), p90 = quantile(values, 0.9);
  if (p10 < p90) {
    low = std::max(low, p10 - kFar * (p90 - p10));
    high = std::min(high, p90 + kFar * (p90 - p10));
  }
  // All alike but for rounding: one bar, a hundredth of the value wide.
  if (high - low <= 1e-9 * std::max(std::abs(high), std::abs(low))) {
    const double half = low == 0 ? 0.5 : std::abs(low) / 200;
    return {low - half, low + half};
  }
  const double n = static_cast<double>(values.size());
  const double wanted = 2 * (quantile(values, 0.75) - quantile(values, 0.25)) / std::cbrt(n);
  const double bars = wanted > 0 ? (high - low) / wanted : kMostBars;
  const int count = std::clamp(static_cast<int>(std::ceil(bars)), kLeastBars, kMostBars);
  const std::vector<double> ticks = axis_ticks(low, low + (high - low), count);
  const double step =
      ticks.size() >= 2 ? ticks[1] - ticks[0] : (high - low) / static_cast<double>(count);
  std::vector<double> edges;
  const double first = std::floor(low / step + 1e-9);
  for (double i = first; edges.size() < 2 || edges.back() <= high; i += 1) {
    edges.push_back(i * step);
  }
  return edges;
}

std::string histogram_svg(const Histogram& h, const SvgLook& look) {
  const std::vector<double> edges = histogram_edges(h.values);
  const double step = edges[1] - edges[0];
  std::vector<double> share(edges.size() - 1);
  const double each = 100.0 / static_cast<double>(h.values.size());
  double below = 0, beyond = 0;
  for (const double v : h.values) {
    const double at = std::floor((v - edges[0]) / step);
    if (at < 0) {
      below += each;
    } else if (v > edges.back()) {
      beyond += each;
    } else {
      share[std::min(static_cast<std::size_t>(at), share.size() - 1)] += each;
    }
  }
  ChartFrame frame;
  const double wide = edges.back() - edges.front();
  frame.x = {false, edges.front(), edges.back()};
  for (const HistogramMark& m : h.marks) {
    if (m.at > edges.front() - wide && m.at < edges.back() + wide) frame.x.take(m.at);
  }
  frame.y = {false, 0, 1.08 * *std::ranges::max_element(share)};
  frame.left = kLeft;
  frame.width = look.width - kLeft - kRight;
  frame.height = kPlot;
  const std::vector<Placed> marks = place(h.marks, frame, look.width);
  int lines = 0;
  for (const Placed& p : marks) lines = std::max(lines, p.line + 1);
  frame.top = kName + kLine * lines + 8;
  std::string out = svg_open(look.width, frame.bottom() + kBelow, look.paint, look.words);
  ChartLabels labels{h.x_label, "", std::max(2, static_cast<int>(frame.width / kLabel)), 4, true};
  out += frame_svg(frame, labels, look.paint);
  out += fmt::format("<text x=\"2\" y=\"13\">{}</text>\n", svg_escaped(h.y_label));
  for (std::size_t i = 0; i < share.size(); ++i) {
    if (share[i] <= 0) continue;
    const double left = frame.across(edges[i]), right = frame.across(edges[i + 1]);
    const double middle = (edges[i] + edges[i + 1]) / 2;
    const bool full = h.from >= h.to || (middle >= h.from - step / 2 && middle <= h.to + step / 2);
    out += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"{}/>\n",
        left + 0.5, frame.up(share[i]), std::max(1.0, right - left - 1),
        frame.bottom() - frame.up(share[i]), look.paint.colour(0), full ? "" : " opacity=\"0.45\"");
  }
  if (below > 0) {
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">← {:.2g} %</text>\n", frame.left + 5,
                       frame.bottom() - 20, below);
  }
  if (beyond > 0) {
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{:.2g} % →</text>\n",
                       frame.right(), frame.bottom() - 20, beyond);
  }
  // The texts after the lines, with a rim, so that a line that passes one leaves it readable.
  std::string texts;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const Placed& p = marks[i];
    const double base = kName + kLine * p.line + 12;
    out += fmt::format("<path d=\"M{:.1f} {:.1f}V{:.1f}\" stroke=\"{}\" stroke-width=\"1.5\"{}/>\n",
                       p.x, base + 4, frame.bottom(),
                       h.marks[i].is_limit ? look.paint.colour(1) : look.paint.text,
                       h.marks[i].is_limit ? " stroke-dasharray=\"5 4\"" : "");
    texts += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" stroke=\"{}\" stroke-width=\"4\" "
        "paint-order=\"stroke\">{}{}{}</text>\n",
        p.text_left, base, look.paint.ground, p.arrow == '<' ? "← " : "",
        svg_escaped(h.marks[i].text), p.arrow == '>' ? " →" : "");
  }
  return out + texts + "</svg>\n";
}

}  // namespace forerun
