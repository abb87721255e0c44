#include "models/stability/signal_propagation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace forerun::stability {
namespace {

double real(std::int64_t n) { return static_cast<double>(n); }

/// One residual block: what its parts saw on the way forwards, for the way back.
struct Block {
  Moments stream;     // what entered the block
  Moments branch_in;  // what entered f, after a norm if there is one
  Moments raw;        // f's result, before a norm and dropout
  Moments sum;        // lambda x + beta f, before a norm
  Moments hidden;     // feed-forward: what entered the activation
  AttentionSetup attention;
  WeightVariances weights;
  bool is_attention = false;
  double score_variance = 0;
  bool clamped = false;
};

class Network {
 public:
  explicit Network(const SignalSetup& setup) : s_(setup) {}

  Moments forward(const Moments& x, bool is_attention, Block& block) const;
  Gradient back(const Gradient& g, const Block& block) const;

 private:
  [[nodiscard]] Moments branch(const Moments& in, Block& block) const;
  [[nodiscard]] Gradient branch_back(const Gradient& g, const Block& block) const;
  [[nodiscard]] bool norm_before() const {
    return s_.order == ResidualOrder::pre_norm || s_.order == ResidualOrder::both;
  }
  [[nodiscard]] bool norm_after() const {
    return s_.order == ResidualOrder::swin || s_.order == ResidualOrder::both;
  }
  [[nodiscard]] double width() const { return real(s_.hidden); }

  const SignalSetup& s_;
};

Moments Network::branch(const Moments& in, Block& b) const {
  const double h = width();
  b.weights = weight_variances(s_.initialisation, {.layers = real(s_.layers),
                                                   .hidden = h,
                                                   .head_dim = h / real(s_.heads),
                                                   .ffn = real(s_.ffn),
                                                   .dropout = s_.dropout,
                                                   .correlation = in.correlation()});
  if (b.is_attention) {
    b.attention = {.width = h,
                   .value_width = h,
                   .tokens = s_.tokens,
                   .query_key_variance = b.weights.query_key,
                   .value_variance = b.weights.value,
                   .dropout = s_.attention_dropout};
    const AttentionMoments a = attention(b.attention, in);
    b.score_variance = a.score_variance;
    b.clamped = a.clamped;
    return linear(a.out, h, b.weights.output);
  }
  b.hidden = linear(in, h, b.weights.up);
  return linear(activation(s_.activation, b.hidden), real(s_.ffn), b.weights.down);
}

Gradient Network::branch_back(const Gradient& g, const Block& b) const {
  const double h = width();
  if (b.is_attention) {
    const Gradient at_output = linear_back(g, h, b.weights.output);
    Gradient in = attention_back(b.attention, at_output);
    in.variance += attention_back_beyond(b.attention, at_output, b.branch_in);
    return in;
  }
  const Gradient inner =
      activation_back(s_.activation, linear_back(g, h, b.weights.down), b.hidden);
  return linear_back(inner, real(s_.ffn), b.weights.up);
}

Moments Network::forward(const Moments& x, bool is_attention, Block& b) const {
  b.is_attention = is_attention;
  b.stream = x;
  b.branch_in = norm_before() ? layer_norm(x) : x;
  b.raw = branch(b.branch_in, b);
  const Moments out = dropout(norm_after() ? layer_norm(b.raw) : b.raw, s_.dropout);
  b.sum = {0, s_.keep_squared * x.variance + s_.block_squared * out.variance,
           s_.keep_squared * x.covariance + s_.block_squared * out.covariance};
  return s_.order == ResidualOrder::post_norm ? layer_norm(b.sum) : b.sum;
}

Gradient Network::back(const Gradient& top, const Block& b) const {
  Gradient g = top;
  if (s_.order == ResidualOrder::post_norm) g = layer_norm_back(g, b.sum);
  Gradient f =
      dropout_back({s_.block_squared * g.variance, s_.block_squared * g.covariance}, s_.dropout);
  if (norm_after()) f = layer_norm_back(f, b.raw);
  f = branch_back(f, b);
  if (norm_before()) f = layer_norm_back(f, b.stream);
  return {s_.keep_squared * g.variance + f.variance, s_.keep_squared * g.covariance + f.covariance};
}

void check(const SignalSetup& s) {
  FORERUN_ASSERT(s.layers > 0 && s.hidden > 0 && s.heads > 0 && s.ffn > 0 && s.tokens >= 1,
                 fmt::format("{} layers, hidden {}, {} heads, ffn {}, {} tokens", s.layers,
                             s.hidden, s.heads, s.ffn, s.tokens));
  FORERUN_ASSERT(s.dropout >= 0 && s.dropout < 1 && s.attention_dropout >= 0 &&
                     s.attention_dropout < 1 && s.input_correlation >= 0 &&
                     s.input_correlation < 1 && s.gradient_correlation >= 0 &&
                     s.gradient_correlation < 1 && s.input_variance > 0,
                 fmt::format("dropout {} and {}, correlations {} and {}, variance {}", s.dropout,
                             s.attention_dropout, s.input_correlation, s.gradient_correlation,
                             s.input_variance));
}

void warn(SignalPropagation& result) {
  std::size_t count = 0;
  std::size_t first = 0;
  double largest = 0;
  for (std::size_t i = 0; i < result.layers.size(); ++i) {
    const LayerSignal& layer = result.layers[i];
    if (!layer.clamped) continue;
    if (count++ == 0) first = i + 1;
    largest = std::max(largest, layer.score_variance);
  }
  if (count == 0) return;
  result.warnings.push_back(fmt::format(
      "attention scores of variance up to {:.3g} in {} of {} layers, from layer {}: the formula "
      "holds to {:.3g}; there the attention's variance is cut at the largest that is possible",
      largest, count, result.layers.size(), first, kLargestScoreVariance));
}

}  // namespace

ResidualOrder residual_order(models::NormOrder order) {
  switch (order) {
    case models::NormOrder::before:
      return ResidualOrder::pre_norm;
    case models::NormOrder::after:
      return ResidualOrder::swin;
    case models::NormOrder::both:
      return ResidualOrder::both;
  }
  FORERUN_ASSERT(false, "a norm order without a residual order");
}

SignalSetup deep_scale(SignalSetup setup) {
  setup.initialisation = models::Initialisation::deepscale;
  setup.block_squared = 2 / (2 * real(setup.layers));
  setup.keep_squared = 1 - setup.block_squared;
  return setup;
}

SignalSetup signal_setup(const models::Architecture& a, models::Initialisation initialisation,
                         double tokens) {
  SignalSetup s;
  s.layers = a.layers;
  s.hidden = a.hidden;
  s.heads = a.heads;
  s.ffn = a.ffn;
  s.tokens = tokens;
  s.activation = a.activation;
  s.order = residual_order(a.norm_order);
  s.initialisation = initialisation;
  return s;
}

SignalPropagation propagate(const SignalSetup& setup) {
  check(setup);
  const Network network(setup);
  const std::size_t n = static_cast<std::size_t>(setup.layers);
  std::vector<Block> blocks(2 * n);
  SignalPropagation result;
  result.layers.resize(n);
  Moments x{0, setup.input_variance, setup.input_correlation * setup.input_variance};
  for (std::size_t i = 0; i < n; ++i) {
    x = network.forward(x, true, blocks[2 * i]);
    x = network.forward(x, false, blocks[2 * i + 1]);
    LayerSignal& layer = result.layers[i];
    layer.variance = x.variance;
    layer.correlation = x.correlation();
    layer.score_variance = blocks[2 * i].score_variance;
    layer.clamped = blocks[2 * i].clamped;
  }
  Gradient g{1, setup.gradient_correlation};
  for (std::size_t i = n; i-- > 0;) {
    result.layers[i].gradient_variance = g.variance;
    result.layers[i].gradient_correlation = g.correlation();
    result.layers[i].weight_gradient =
        g.variance + (setup.tokens - 1) * blocks[2 * i + 1].branch_in.correlation() * g.covariance;
    g = network.back(network.back(g, blocks[2 * i + 1]), blocks[2 * i]);
  }
  result.input_gradient = g.variance;
  warn(result);
  return result;
}

double SignalPropagation::variance_growth() const {
  const double n = static_cast<double>(layers.size());
  double sum = 0, product = 0, squares = 0;
  const double middle = (n + 1) / 2;
  for (const LayerSignal& layer : layers) sum += layer.variance;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const double depth = static_cast<double>(i + 1) - middle;
    product += depth * (layers[i].variance - sum / n);
    squares += depth * depth;
  }
  return squares > 0 ? product / squares : 0;
}

double SignalPropagation::gradient_ratio() const {
  const std::size_t edge = layers.size() / 10;
  const std::size_t last = layers.size() - 1 - edge;
  if (last <= edge) return 1;
  return std::pow(layers[last].weight_gradient / layers[edge].weight_gradient,
                  0.5 / static_cast<double>(last - edge));
}

}  // namespace forerun::stability
