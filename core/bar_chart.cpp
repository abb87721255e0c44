#include "core/bar_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace forerun {
namespace {

constexpr double kBar = 15, kText = 17, kEach = 43, kCap = 4;
constexpr double kStacked = 34;
/// Between parts, so that they are told apart without colour.
constexpr double kGap = 1;

}  // namespace

std::string bar_chart_svg(const std::vector<ChartBar>& bars, const SvgLook& look) {
  FORERUN_ASSERT(!bars.empty(), "a chart without bars");
  double most = 0;
  for (const ChartBar& b : bars) {
    FORERUN_ASSERT(std::isfinite(b.value) && std::isfinite(b.high) && b.value >= 0 && b.low >= 0 &&
                       b.low <= b.high,
                   fmt::format("{}: {} ({} to {})", b.name, b.value, b.low, b.high));
    most = std::max({most, b.value, b.high});
  }
  const double scale = most > 0 ? (look.width - 4) / most : 0;
  const double height = kEach * static_cast<double>(bars.size());
  std::string out = svg_open(look.width, height, look.paint, look.words);
  double top = 0;
  for (const ChartBar& b : bars) {
    const double bar = top + kText + 2, middle = bar + kBar / 2;
    out += fmt::format(
        "<text x=\"1\" y=\"{0:.1f}\">{1}</text>\n<text x=\"{2:.1f}\" y=\"{0:.1f}\" "
        "text-anchor=\"end\">{3}</text>\n",
        top + kText - 4, svg_escaped(b.name), look.width - 1, svg_escaped(b.shown));
    out += fmt::format(
        "<path d=\"M1 {0:.1f}h{1:.1f}\" stroke=\"{2}\"/>\n"
        "<rect x=\"1\" y=\"{3:.1f}\" width=\"{4:.1f}\" height=\"{5:.0f}\" fill=\"{6}\"/>\n",
        bar + kBar + 0.5, look.width - 2, look.paint.grid, bar, std::max(1.0, scale * b.value),
        kBar, look.paint.colour(b.colour));
    if (b.low < b.high) {
      const std::string path =
          fmt::format("M{0:.1f} {1:.1f}H{2:.1f}M{0:.1f} {3:.1f}v{4:.0f}M{2:.1f} {3:.1f}v{4:.0f}",
                      1 + scale * b.low, middle, 1 + scale * b.high, middle - kCap, 2 * kCap);
      // With a rim, so that it is seen on the bar and beside it.
      out += fmt::format(
          "<path d=\"{0}\" stroke=\"{1}\" stroke-width=\"3.5\" fill=\"none\"/>\n"
          "<path d=\"{0}\" stroke=\"{2}\" stroke-width=\"1.5\" fill=\"none\"/>\n",
          path, look.paint.ground, look.paint.text);
    }
    top += kEach;
  }
  return out + "</svg>\n";
}

std::string stacked_bar_svg(const std::vector<BarPart>& parts, const SvgLook& look) {
  double sum = 0;
  for (const BarPart& p : parts) {
    FORERUN_ASSERT(std::isfinite(p.value) && p.value >= 0, fmt::format("{}: {}", p.name, p.value));
    sum += p.value;
  }
  FORERUN_ASSERT(sum > 0, "a bar of nothing");
  std::string out = svg_open(look.width, kStacked, look.paint, look.words);
  double before = 0;
  for (const BarPart& p : parts) {
    if (p.value <= 0) continue;
    const double from = look.width * before / sum, to = look.width * (before + p.value) / sum;
    before += p.value;
    // A sliver is drawn as one, whatever the gap.
    out += fmt::format(
        "<rect x=\"{:.2f}\" y=\"0\" width=\"{:.2f}\" height=\"{:.0f}\" fill=\"{}\">"
        "<title>{}: {}</title></rect>\n",
        from, std::max(std::min(0.75, to - from), to - from - kGap), kStacked,
        look.paint.colour(p.colour), svg_escaped(p.name), svg_escaped(p.shown));
  }
  return out + "</svg>\n";
}

}  // namespace forerun
