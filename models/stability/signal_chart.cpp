#include "models/stability/signal_chart.h"

#include <cmath>

#include "core/error.h"
#include "core/line_chart.h"

namespace forerun::stability {

std::string signal_svg(const std::string& title, SignalQuantity quantity,
                       const std::vector<SignalLine>& lines) {
  FORERUN_ASSERT(!lines.empty() && !lines.front().signal.layers.empty(), title);
  const bool variance = quantity == SignalQuantity::variance;
  ChartPanel panel;
  panel.title = title;
  panel.x_label = "layer";
  panel.y_label = variance ? "variance" : "gradient norm over the last layer's";
  panel.log_y = true;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    ChartCurve curve;
    curve.name = lines[i].name;
    curve.colour = i;
    curve.dashed = i % 2 == 1;  // lines that coincide show side by side
    const SignalPropagation& s = lines[i].signal;
    for (std::size_t n = 0; n < s.layers.size(); ++n) {
      curve.x.push_back(static_cast<double>(n + 1));
      curve.y.push_back(
          variance ? s.layers[n].variance
                   : std::sqrt(s.layers[n].weight_gradient / s.layers.back().weight_gradient));
    }
    panel.curves.push_back(std::move(curve));
  }
  return line_chart_svg({panel});
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
