#include "core/chart_axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace forerun {
namespace {

std::string y_grid(const ChartFrame& f, const ChartLabels& labels, const SvgPaint& paint) {
  std::string out;
  for (const double t : f.y.ticks(labels.y_count)) {
    out += fmt::format(
        "<path d=\"M{:.1f} {:.1f}h{:.1f}\" stroke=\"{}\"/>\n<text x=\"{:.1f}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{}</text>\n",
        f.left, f.up(t), f.width, paint.grid, f.left - 8, f.up(t) + 4, axis_label(t));
  }
  return out;
}

std::string lines(const ChartFrame& f, const SvgPaint& paint) {
  return fmt::format(
      "<path d=\"M{0:.1f} {1:.1f}V{2:.1f}H{3:.1f}\" fill=\"none\" "
      "stroke=\"{4}\"/>\n",
      f.left, f.top, f.bottom(), f.right(), paint.axis);
}

std::string x_name(const ChartFrame& f, const ChartLabels& labels) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                     f.left + f.width / 2, f.bottom() + 40, svg_escaped(labels.x));
}

std::string y_name(const ChartFrame& f, const ChartLabels& labels) {
  if (labels.y_above) {
    return fmt::format("<text x=\"2\" y=\"{:.1f}\">{}</text>\n", f.top - 12, svg_escaped(labels.y));
  }
  return fmt::format(
      "<text transform=\"translate(18 {:.1f}) rotate(-90)\" "
      "text-anchor=\"middle\">{}</text>\n",
      f.top + f.height / 2, svg_escaped(labels.y));
}

}  // namespace

bool ChartAxis::shows(double v) const { return std::isfinite(v) && (!log || v > 0); }

double ChartAxis::share(double v) const {
  if (log) return std::log(v / least) / std::log(most / least);
  return (v - least) / (most - least);
}

void ChartAxis::take(double v) {
  if (!shows(v)) return;
  least = std::min(least, v);
  most = std::max(most, v);
}

ChartAxis ChartAxis::empty(bool log) { return {log, 1e300, -1e300}; }

std::vector<double> ChartAxis::ticks(int count) const {
  if (!log) return axis_ticks(least, most, count);
  std::vector<double> out;
  for (double d = std::floor(std::log10(least)); d <= std::log10(most) + 1e-9; d += 1) {
    const double v = std::pow(10.0, d);
    if (v >= least * (1 - 1e-9)) out.push_back(v);
  }
  return out.size() >= 2 ? out : std::vector<double>{least, most};
}

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

std::string axis_label(double v) {
  const double size = std::abs(v);
  if (size >= 1e12) return fmt::format("{:g}T", v / 1e12);
  if (size >= 1e9) return fmt::format("{:g}B", v / 1e9);
  if (size >= 1e6) return fmt::format("{:g}M", v / 1e6);
  if (size >= 1e4) return fmt::format("{:g}k", v / 1e3);
  return fmt::format("{:g}", v);
}

double ChartFrame::across(double v) const {
  return left + width * std::clamp(x.share(v), 0.0, 1.0);
}
double ChartFrame::up(double v) const {
  return top + height * (1 - std::clamp(y.share(v), 0.0, 1.0));
}

std::string frame_svg(const ChartFrame& f, const ChartLabels& labels, const SvgPaint& paint) {
  std::string out = y_grid(f, labels, paint);
  for (const double t : f.x.ticks(labels.x_count)) {
    out += fmt::format(
        "<path d=\"M{0:.1f} {1:.1f}v5\" stroke=\"{4}\"/>\n<text x=\"{0:.1f}\" y=\"{2:.1f}\" "
        "text-anchor=\"middle\">{3}</text>\n",
        f.across(t), f.bottom(), f.bottom() + 20, axis_label(t), paint.axis);
  }
  return out + lines(f, paint) + x_name(f, labels) + y_name(f, labels);
}

std::string frame_svg_without_x(const ChartFrame& f, const ChartLabels& labels,
                                const SvgPaint& paint) {
  return y_grid(f, labels, paint) + lines(f, paint) + x_name(f, labels) + y_name(f, labels);
}

}  // namespace forerun
