#include "hw/calibrate/scatter_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/table.h"

namespace forerun::hw {
namespace {

constexpr double kSide = 560, kLeft = 90, kTop = 70, kLegend = 330, kBelow = 70;
constexpr double kBand = 0.1;

/// Colours told apart by people who see few (Okabe and Ito).
constexpr std::array<const char*, 7> kColours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                 "#E69F00", "#56B4E9", "#333333"};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string label(double x, double y, std::string_view text, std::string_view more = {}) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", x, y, more, escaped(text));
}

/// Decades that hold all times, one or more.
struct Axis {
  double least = -6, most = -5;  ///< log10 of seconds
  [[nodiscard]] double share(double seconds) const {
    return (std::log10(seconds) - least) / (most - least);
  }
};

struct Mark {
  double x, y;
  bool hollow;
};

class Plot {
 public:
  explicit Plot(const std::vector<CalibratedFamily>& families) : families_(families) {
    double least = 1e300, most = 0;
    for (const CalibratedFamily& f : families) {
      for (const CalibratedPoint& p : f.points) {
        for (const Seconds t : {p.measured, prediction(p)}) {
          if (t.base() <= 0) continue;
          least = std::min(least, t.base());
          most = std::max(most, t.base());
        }
      }
    }
    if (most <= 0) return;
    axis_.least = std::floor(std::log10(least));
    axis_.most = std::max(axis_.least + 1, std::ceil(std::log10(most)));
  }

  std::string text(const std::string& title) const {
    const auto rows = std::count_if(families_.begin(), families_.end(),
                                    [](const auto& f) { return !f.points.empty(); });
    const double height =
        std::max(kTop + kSide + kBelow, kTop + 24.0 + 40.0 * static_cast<double>(rows) + 40);
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
        "viewBox=\"0 0 {0:.0f} {1:.0f}\" font-family=\"sans-serif\" font-size=\"13\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        kLeft + kSide + 30 + kLegend, height);
    out += label(kLeft, 34, title, "font-size=\"18\" font-weight=\"bold\"");
    out += label(kLeft, 54, "each point predicted by what the other measurements made",
                 "fill=\"#555\"");
    out += grid() + marks() + legend();
    return out + "</svg>\n";
  }

 private:
  static Seconds prediction(const CalibratedPoint& p) {
    return p.left_out.base() > 0 ? p.left_out : p.before;
  }
  double x(double seconds) const { return kLeft + kSide * axis_.share(seconds); }
  double y(double seconds) const { return kTop + kSide * (1 - axis_.share(seconds)); }

  std::string grid() const {
    const double right = kLeft + kSide, bottom = kTop + kSide;
    std::string out;
    const double least = std::pow(10, axis_.least), most = std::pow(10, axis_.most);
    const double over = most / (1 + kBand), under = least * (1 + kBand);
    out += fmt::format(
        "<polygon fill=\"#e8e8e8\" points=\"{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f} "
        "{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}\"/>\n",
        x(least), y(least), x(least), y(under), x(over), y(most), x(most), y(most), x(most),
        y(over), x(under), y(least));
    for (double decade = axis_.least; decade <= axis_.most + 0.5; ++decade) {
      const double at = std::pow(10, decade);
      out += fmt::format(
          "<path d=\"M{0:.1f},{1:.1f}V{2:.1f}M{3:.1f},{4:.1f}H{5:.1f}\" stroke=\"#ccc\"/>\n", x(at),
          kTop, bottom, kLeft, y(at), right);
      out += label(x(at), bottom + 20, show(Seconds(at)), "text-anchor=\"middle\"");
      out += label(kLeft - 8, y(at) + 4, show(Seconds(at)), "text-anchor=\"end\"");
    }
    out += fmt::format(
        "<path d=\"M{:.1f},{:.1f}L{:.1f},{:.1f}\" stroke=\"#888\" stroke-width=\"1.2\"/>\n", kLeft,
        bottom, right, kTop);
    out += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#444\"/>\n",
        kLeft, kTop, kSide, kSide);
    out += label(kLeft + kSide / 2, bottom + 46, "measured time", "text-anchor=\"middle\"");
    out += fmt::format(
        "<text transform=\"translate(22,{:.1f}) rotate(-90)\" "
        "text-anchor=\"middle\">predicted time</text>\n",
        kTop + kSide / 2);
    return out;
  }

  static std::string mark(std::size_t family, const Mark& m) {
    const char* colour = kColours[family % kColours.size()];
    const std::string paint =
        m.hollow ? fmt::format("fill=\"white\" stroke=\"{}\" stroke-width=\"1.5\"", colour)
                 : fmt::format("fill=\"{}\" fill-opacity=\"0.75\"", colour);
    // A second round of colours is square, so that a mark is one family's.
    if ((family / kColours.size()) % 2 == 1) {
      return fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"8\" height=\"8\" {}/>\n", m.x - 4,
                         m.y - 4, paint);
    }
    return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4.2\" {}/>\n", m.x, m.y, paint);
  }

  std::string marks() const {
    std::string out;
    std::size_t family = 0;
    for (const CalibratedFamily& f : families_) {
      if (f.points.empty()) continue;
      for (const CalibratedPoint& p : f.points) {
        const Seconds t = prediction(p);
        if (t.base() <= 0) continue;
        out += mark(family, {x(p.measured.base()), y(t.base()), p.left_out.base() <= 0});
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
    for (const CalibratedFamily& f : families_) {
      if (f.points.empty()) continue;
      const bool fitted = f.left_out().count > 0;
      const ErrorSummary e = fitted ? f.left_out() : f.before();
      out += mark(family, {left + 6, at - 4, !fitted});
      out += label(left + 20, at, f.name);
      out += label(left + 20, at + 16,
                   fmt::format("{} point{}, median error {}{}", e.count, e.count == 1 ? "" : "s",
                               show_percent(e.median), fitted ? "" : " (by the old profile)"),
                   "fill=\"#555\" font-size=\"12\"");
      at += 40;
      ++family;
    }
    out += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"14\" height=\"12\" fill=\"#e8e8e8\"/>\n", left,
        at - 10);
    return out + label(left + 20, at, "within 10 %", "fill=\"#555\" font-size=\"12\"");
  }

  const std::vector<CalibratedFamily>& families_;
  Axis axis_;
};

}  // namespace

std::string scatter_svg(const std::string& title, const std::vector<CalibratedFamily>& families) {
  return Plot(families).text(title);
}

}  // namespace forerun::hw
