#include "models/stability/moments.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace forerun::stability {
namespace {

using models::Activation;
using std::numbers::pi;

double correlation(const Moments& in) { return std::clamp(in.correlation(), -1.0, 1.0); }

/// E[u+ v+] of two Gaussians of variance s2 and correlation r: the arc-cosine kernel of order 1.
double relu_product(double s2, double r) {
  return s2 / (2 * pi) * (std::sqrt(std::max(0.0, 1 - r * r)) + r * (pi - std::acos(r)));
}

/// Mean, mean product of two tokens at correlation r (1: of one) and the slope's of an activation.
struct Curve {
  double mean = 0, square = 0, product = 0, slope_square = 0, slope_product = 0;
};

Curve relu(double s2, double r) {
  return {std::sqrt(s2 / (2 * pi)), s2 / 2, relu_product(s2, r), 0.5,
          0.25 + std::asin(r) / (2 * pi)};
}

/// Order 2 of the arc-cosine kernel: J2 = 3 sin t cos t + (pi - t) (1 + 2 cos^2 t), r = cos t.
Curve squared_relu(double s2, double r) {
  const double angle = std::acos(r);
  const double j2 = 3 * std::sin(angle) * r + (pi - angle) * (1 + 2 * r * r);
  return {s2 / 2, 1.5 * s2 * s2, s2 * s2 / (2 * pi) * j2, 2 * s2, 4 * relu_product(s2, r)};
}

double gelu_product(double s2, double r) {
  const double a = s2 / (1 + s2);
  const double root = std::sqrt((s2 + 1) * (s2 + 1) - r * r * s2 * s2);
  return s2 / 4 *
         (r + r * std::asin(r * a) * (2 / pi) +
          s2 * (2 / pi) * (s2 * (1 - r * r) + 1 + r * r) / ((s2 + 1) * root));
}

double gelu_slope_product(double s2, double r) {
  const double a = s2 / (1 + s2);
  const double left = (s2 + 1) * (s2 + 1) - r * r * s2 * s2;
  return 0.5 + (r * a * ((s2 + 1) * (2 * s2 + 3) - 2 * r * r * s2 * s2) / std::pow(left, 1.5) -
                std::acos(r * a)) /
                   (2 * pi);
}

Curve gelu(double s2, double r) {
  return {std::sqrt(s2 / (2 * pi)) * std::sqrt(s2 / (1 + s2)), gelu_product(s2, 1),
          gelu_product(s2, r), gelu_slope_product(s2, 1), gelu_slope_product(s2, r)};
}

Curve curve(Activation kind, const Moments& in) {
  FORERUN_ASSERT(in.variance > 0 && std::abs(in.mean) < 1e-9,
                 fmt::format("an activation of mean {}, variance {}", in.mean, in.variance));
  switch (kind) {
    case Activation::relu:
      return relu(in.variance, correlation(in));
    case Activation::squared_relu:
      return squared_relu(in.variance, correlation(in));
    case Activation::gelu:
    case Activation::geglu:
    case Activation::swiglu:
      return gelu(in.variance, correlation(in));
  }
  FORERUN_ASSERT(false, "an activation without moments");
}

bool gated(Activation kind) { return kind == Activation::swiglu || kind == Activation::geglu; }

}  // namespace

Moments linear(const Moments& in, double fan_in, double weight_variance) {
  const double scale = fan_in * weight_variance;
  return {0, scale * in.square(), scale * (in.covariance + in.mean * in.mean)};
}

Gradient linear_back(const Gradient& out, double fan_out, double weight_variance) {
  const double scale = fan_out * weight_variance;
  return {scale * out.variance, scale * out.covariance};
}

Moments dropout(const Moments& in, double rate) {
  return {in.mean, (in.variance + rate * in.mean * in.mean) / (1 - rate), in.covariance};
}

Gradient dropout_back(const Gradient& out, double rate) {
  return {out.variance / (1 - rate), out.covariance};
}

Moments layer_norm(const Moments& in) { return {0, 1, in.correlation()}; }

Gradient layer_norm_back(const Gradient& out, const Moments& in) {
  return {out.variance / in.variance, out.covariance / in.variance};
}

Moments activation(Activation kind, const Moments& in) {
  const Curve c = curve(kind, in);
  if (gated(kind)) return {0, c.square * in.variance, c.product * in.covariance};
  return {c.mean, c.square - c.mean * c.mean, c.product - c.mean * c.mean};
}

Gradient activation_back(Activation kind, const Gradient& out, const Moments& in) {
  const Curve c = curve(kind, in);
  if (!gated(kind)) return {c.slope_square * out.variance, c.slope_product * out.covariance};
  return {(c.slope_square * in.variance + c.square) * out.variance,
          (c.slope_product * in.covariance + c.product) * out.covariance};
}

Moments softmax(double score_variance, double correlation_of_scores, double keys) {
  const double spread = std::exp((1 - correlation_of_scores) * score_variance) - 1;
  return {1 / keys, spread / (keys * keys), 0};
}

AttentionMoments attention(const AttentionSetup& a, const Moments& in) {
  const double s2 = in.variance;
  const double s4 = s2 * s2;
  const double r = in.correlation();
  const double qk = a.query_key_variance * a.query_key_variance;
  const double q = a.width * s2 * qk;
  const double keep = 1 - a.dropout;
  const double value_scale = a.width * a.value_variance;
  AttentionMoments result;
  result.score_variance = (1 - r) * a.width * q * s2;
  const double apart = (1 - r) * (1 - r) * q * s4;
  const double spread = std::exp(std::min(result.score_variance, 700.0)) / keep;
  result.out.variance =
      (r * s2 + ((a.tokens - 1) * apart + spread * (4 * apart + (1 - r) * s2)) / a.tokens) *
      value_scale;
  result.out.covariance =
      (r * s2 + (2 * (1 - r) * (1 - r) * a.width * qk * s2 * s4 + (1 - r) * s2) / a.tokens) *
      value_scale;
  result.formula = result.out.variance;
  result.clamped = result.score_variance > kLargestScoreVariance;
  if (result.clamped) {
    // A convex combination of values varies at most as one value does; two tokens' covary no more
    // than that.
    const double most = s2 * value_scale;
    result.out.variance = std::min(result.out.variance, most / keep);
    result.out.covariance = std::min(result.out.covariance, most);
  }
  return result;
}

Gradient attention_back(const AttentionSetup& a, const Gradient& out) {
  const double keep = 1 - a.dropout;
  const double scale = a.value_width * a.value_variance / a.tokens;
  const double r = out.correlation();
  return {scale * out.variance * (1 + (a.tokens - 1) * r * keep) / keep,
          scale * out.variance * (1 + (a.tokens - 1) * r)};
}

double attention_back_beyond(const AttentionSetup& a, const Gradient& out, const Moments& in) {
  const double r = in.correlation();
  const double query = a.width * a.query_key_variance * in.variance;
  const double value = a.width * a.value_variance * in.variance;
  const double score_variance = (1 - r) * query * query;
  const double held = std::min(score_variance, kLargestScoreVariance);
  const double peaked = std::min(std::exp(held), a.tokens) / a.tokens;
  const double chosen = std::exp(r * held);
  const double shared = out.correlation() * r;
  const double through_scores =
      a.value_width * a.query_key_variance * (1 - r) * value * query *
      (shared * chosen + peaked * ((1 - r) * (1 + a.tokens / a.width) + 1 - shared));
  const double through_choice = a.value_width * a.value_variance * out.correlation() * (chosen - 1);
  return out.variance * (through_scores + through_choice) /
         std::sqrt(std::max(1.0, score_variance));
}

}  // namespace forerun::stability
