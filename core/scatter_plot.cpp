#include "core/scatter_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/svg.h"

namespace forerun {
namespace {

constexpr double kSide = 560, kLeft = 90, kTop = 70, kLegend = 330, kBelow = 70;

std::string label(double x, double y, std::string_view text, std::string_view more = {}) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", x, y, more,
                     svg_escaped(text));
}

/// Whole decades that hold all values; where they lie within one decade, their range and a tenth
/// more.
struct Axis {
  double least = -6, most = -5;  ///< decimal logarithms
  std::vector<double> ticks;
  [[nodiscard]] double share(double value) const {
    return (std::log10(value) - least) / (most - least);
  }
};

Axis axis_of(double low, double high) {
  Axis axis;
  if (high / low >= 10) {
    axis.least = std::floor(std::log10(low));
    axis.most = std::max(axis.least + 1, std::ceil(std::log10(high)));
    for (double d = axis.least; d <= axis.most + 0.5; ++d) axis.ticks.push_back(std::pow(10, d));
    return axis;
  }
  const double margin = std::max(0.1 * std::log10(high / low), 0.01);
  axis.least = std::log10(low) - margin;
  axis.most = std::log10(high) + margin;
  // Round steps of which four to nine fit.
  const double from = std::pow(10, axis.least), to = std::pow(10, axis.most);
  double step = std::pow(10, std::floor(std::log10(to - from)));
  if ((to - from) / step < 4) step *= (to - from) / step < 2 ? 0.2 : 0.5;
  for (double t = std::ceil(from / step) * step; t <= to; t += step) axis.ticks.push_back(t);
  return axis;
}

struct Mark {
  double x, y;
  bool hollow;
};

class Plot {
 public:
  explicit Plot(const ScatterPlot& plot) : plot_(plot) {
    double least = 1e300, most = 0;
    for (const ScatterFamily& f : plot.families) {
      for (const ScatterPoint& p : f.points) {
        for (const double v : {p.measured, p.predicted}) {
          if (v <= 0) continue;
          least = std::min(least, v);
          most = std::max(most, v);
        }
      }
    }
    axis_ = most > 0 ? axis_of(least, most) : axis_of(1e-6, 1e-5);
  }

  std::string text() const {
    const auto rows = std::count_if(plot_.families.begin(), plot_.families.end(),
                                    [](const auto& f) { return !f.points.empty(); });
    const double height =
        std::max(kTop + kSide + kBelow, kTop + 24.0 + 40.0 * static_cast<double>(rows) + 40);
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
        "viewBox=\"0 0 {0:.0f} {1:.0f}\" font-family=\"sans-serif\" font-size=\"13\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        kLeft + kSide + 30 + kLegend, height);
    out += label(kLeft, 34, plot_.title, "font-size=\"18\" font-weight=\"bold\"");
    out += label(kLeft, 54, plot_.subtitle, "fill=\"#555\"");
    out += grid() + marks() + legend();
    return out + "</svg>\n";
  }

 private:
  double x(double value) const { return kLeft + kSide * axis_.share(value); }
  double y(double value) const { return kTop + kSide * (1 - axis_.share(value)); }

  std::string grid() const {
    const double right = kLeft + kSide, bottom = kTop + kSide;
    std::string out;
    const double least = std::pow(10, axis_.least), most = std::pow(10, axis_.most);
    const double over = most / (1 + plot_.band), under = least * (1 + plot_.band);
    out += fmt::format(
        "<polygon fill=\"#e8e8e8\" points=\"{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f} "
        "{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}\"/>\n",
        x(least), y(least), x(least), y(under), x(over), y(most), x(most), y(most), x(most),
        y(over), x(under), y(least));
    for (const double at : axis_.ticks) {
      out += fmt::format(
          "<path d=\"M{0:.1f},{1:.1f}V{2:.1f}M{3:.1f},{4:.1f}H{5:.1f}\" stroke=\"#ccc\"/>\n", x(at),
          kTop, bottom, kLeft, y(at), right);
      out += label(x(at), bottom + 20, plot_.show(at), "text-anchor=\"middle\"");
      out += label(kLeft - 8, y(at) + 4, plot_.show(at), "text-anchor=\"end\"");
    }
    out += fmt::format(
        "<path d=\"M{:.1f},{:.1f}L{:.1f},{:.1f}\" stroke=\"#888\" stroke-width=\"1.2\"/>\n", kLeft,
        bottom, right, kTop);
    out += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#444\"/>\n",
        kLeft, kTop, kSide, kSide);
    out +=
        label(kLeft + kSide / 2, bottom + 46, "measured " + plot_.what, "text-anchor=\"middle\"");
    out += fmt::format(
        "<text transform=\"translate(22,{:.1f}) rotate(-90)\" "
        "text-anchor=\"middle\">predicted {}</text>\n",
        kTop + kSide / 2, svg_escaped(plot_.what));
    return out;
  }

  static std::string mark(std::size_t family, const Mark& m) {
    const char* colour = svg_colour(family);
    const std::string paint =
        m.hollow ? fmt::format("fill=\"white\" stroke=\"{}\" stroke-width=\"1.5\"", colour)
                 : fmt::format("fill=\"{}\" fill-opacity=\"0.75\"", colour);
    // A second round of colours is square, so that a mark is one family's.
    if ((family / kSvgColours.size()) % 2 == 1) {
      return fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"8\" height=\"8\" {}/>\n", m.x - 4,
                         m.y - 4, paint);
    }
    return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4.2\" {}/>\n", m.x, m.y, paint);
  }

  std::string marks() const {
    std::string out;
    std::size_t family = 0;
    for (const ScatterFamily& f : plot_.families) {
      if (f.points.empty()) continue;
      for (const ScatterPoint& p : f.points) {
        if (p.measured <= 0 || p.predicted <= 0) continue;
        out += mark(family, {x(p.measured), y(p.predicted), p.hollow});
      }
      ++family;
    }
    return out;
  }

  std::string legend() const {
    std::string out;
    std::size_t family = 0;
    const double left = kLeft + kSide + 30;
    double at = kTop + 12;
    for (const ScatterFamily& f : plot_.families) {
      if (f.points.empty()) continue;
      out += mark(family, {left + 6, at - 4, f.hollow});
      out += label(left + 20, at, f.name);
      out += label(left + 20, at + 16, f.note, "fill=\"#555\" font-size=\"12\"");
      at += 40;
      ++family;
    }
    out += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"14\" height=\"12\" fill=\"#e8e8e8\"/>\n", left,
        at - 10);
    return out + label(left + 20, at, fmt::format("within {:.3g} %", 100 * plot_.band),
                       "fill=\"#555\" font-size=\"12\"");
  }

  const ScatterPlot& plot_;
  Axis axis_;
};

}  // namespace

std::string scatter_svg(const ScatterPlot& plot) { return Plot(plot).text(); }

}  // namespace forerun
