#include "models/stability/signal_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "core/error.h"

namespace forerun::stability {
namespace {

constexpr double kWidth = 560, kHeight = 320, kLeft = 70, kTop = 50, kRight = 200, kBelow = 55;

/// Colours told apart by people who see few (Okabe and Ito).
constexpr std::array<const char*, 6> kColours = {"#0072B2", "#D55E00", "#009E73",
                                                 "#CC79A7", "#E69F00", "#56B4E9"};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

/// log10 of a line's values.
std::vector<double> logs(SignalQuantity quantity, const SignalPropagation& s) {
  std::vector<double> out;
  for (const LayerSignal& layer : s.layers) {
    out.push_back(quantity == SignalQuantity::variance
                      ? std::log10(layer.variance)
                      : std::log10(layer.weight_gradient / s.layers.back().weight_gradient) / 2);
  }
  return out;
}

}  // namespace

std::string signal_svg(const std::string& title, SignalQuantity quantity,
                       const std::vector<SignalLine>& lines) {
  FORERUN_ASSERT(!lines.empty() && !lines.front().signal.layers.empty(), title);
  double low = 0, high = 0;
  std::size_t depth = 2;
  std::vector<std::vector<double>> values;
  for (const SignalLine& line : lines) {
    values.push_back(logs(quantity, line.signal));
    low = std::min(low, *std::ranges::min_element(values.back()));
    high = std::max(high, *std::ranges::max_element(values.back()));
    depth = std::max(depth, values.back().size());
  }
  low = std::floor(low);
  high = std::max(low + 1, std::ceil(high));
  const auto across = [&](double layer) {
    return kLeft + kWidth * (layer - 1) / static_cast<double>(depth - 1);
  };
  const auto up = [&](double log) { return kTop + kHeight * (high - log) / (high - low); };

  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "fill=\"white\"/>\n<text x=\"{2:.0f}\" y=\"25\" font-size=\"16\">{3}</text>\n",
      kLeft + kWidth + kRight, kTop + kHeight + kBelow, kLeft, escaped(title));
  for (double tick = low; tick <= high; tick += 1) {
    svg += fmt::format(
        "<path d=\"M{:.1f} {:.1f}H{:.1f}\" stroke=\"#ddd\"/>\n<text x=\"{:.1f}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{:g}</text>\n",
        kLeft, up(tick), kLeft + kWidth, kLeft - 8, up(tick) + 4, std::pow(10, tick));
  }
  for (int i = 0; i <= 4; ++i) {
    const double layer = std::round(1 + static_cast<double>(depth - 1) * i / 4);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:.0f}</text>\n",
                       across(layer), kTop + kHeight + 20, layer);
  }
  svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">layer</text>\n",
                     kLeft + kWidth / 2, kTop + kHeight + 42);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const char* colour = kColours[i % kColours.size()];
    std::string points;
    for (std::size_t n = 0; n < values[i].size(); ++n) {
      points += fmt::format("{:.1f},{:.1f} ", across(static_cast<double>(n + 1)), up(values[i][n]));
    }
    // Lines that coincide show side by side.
    const std::string dashes =
        i == 0 ? ""
               : fmt::format(" stroke-dasharray=\"7 14\" stroke-dashoffset=\"{}\"", 7 * (i - 1));
    svg += fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{}/>\n"
        "<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"{}\">{}</text>\n",
        points, colour, dashes, kLeft + kWidth + 14, kTop + 16 + 22 * static_cast<double>(i),
        colour, escaped(lines[i].name));
  }
  return svg + "</svg>\n";
}

std::vector<SignalLine> published_networks() {
  SignalSetup s;
  s.layers = 192;
  s.hidden = 1024;
  s.heads = 16;
  s.ffn = 4096;
  s.tokens = 256;
  s.dropout = s.attention_dropout = 0.1;
  SignalSetup post = s;
  post.order = ResidualOrder::post_norm;
  return {{"pre-norm, Xavier", propagate(s)},
          {"post-norm, Xavier", propagate(post)},
          {"DeepScaleLM, pre-norm", propagate(deep_scale(s))},
          {"DeepScaleLM, post-norm", propagate(deep_scale(post))}};
}

}  // namespace forerun::stability
