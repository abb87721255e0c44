#include "models/stability/moments.h"

#include <doctest/doctest.h>

#include <cmath>

#include "models/stability/random_network.h"

namespace forerun::stability {
namespace {

using testing::near;

using models::Activation;

constexpr double kStep = 0.04;

/// Integrates f(u, v) over two Gaussians of the variance and correlation, on a grid to six
/// deviations: its error is far below what is checked.
template <class F>
double expected(double variance, double r, F f) {
  double sum = 0, weight = 0;
  for (double a = -6 + kStep / 2; a < 6; a += kStep) {
    for (double b = -6 + kStep / 2; b < 6; b += kStep) {
      const double w = std::exp(-(a * a + b * b) / 2);
      const double s = std::sqrt(variance);
      sum += w * f(s * a, s * (r * a + std::sqrt(1 - r * r) * b));
      weight += w;
    }
  }
  return sum / weight;
}

void check_activation(Activation kind, double variance, double r, double tolerance) {
  CAPTURE(name(kind));
  const auto act = [&](double x) { return testing::act(kind, x); };
  const auto slope = [&](double x) { return testing::slope(kind, x); };
  const auto close = [&](double x) { return near(x, tolerance); };
  const double mean = expected(variance, 0, [&](double u, double) { return act(u); });
  const double square = expected(variance, 0, [&](double u, double) { return act(u) * act(u); });
  const double product = expected(variance, r, [&](double u, double v) { return act(u) * act(v); });
  const Moments in{0, variance, r * variance};
  const Moments out = activation(kind, in);
  CHECK(out.mean == close(mean));
  CHECK(out.square() == close(square));
  CHECK(out.covariance + out.mean * out.mean == close(product));

  const Gradient g = activation_back(kind, {2, 1}, in);
  CHECK(g.variance ==
        close(2 * expected(variance, 0, [&](double u, double) { return slope(u) * slope(u); })));
  CHECK(g.covariance ==
        close(expected(variance, r, [&](double u, double v) { return slope(u) * slope(v); })));
}

/// One head over its full width: the mean over networks of what leaves the value matrix.
struct Attended {
  testing::Sample out, back;
  AttentionMoments predicted;
};

Attended attended(double score_variance, double r, std::int64_t networks, std::size_t tokens = 64) {
  constexpr std::size_t width = 64;
  const double d = 64;
  AttentionSetup setup;
  setup.width = setup.value_width = d;
  setup.tokens = static_cast<double>(tokens);
  setup.query_key_variance = std::sqrt(score_variance / (1 - r)) / d;
  setup.value_variance = 1 / d;
  Attended result;
  result.predicted = attention(setup, {0, 1, r});
  for (std::int64_t n = 0; n < networks; ++n) {
    testing::Draws draws(3, "attention/" + std::to_string(n));
    testing::RealAttention real(draws, width, 1, setup.query_key_variance, setup.value_variance);
    result.out.add(real.forward(draws.tokens(tokens, width, 1, r)));
    result.back.add(real.back(draws.tokens(tokens, width, 1, 0.3)));
  }
  return result;
}

TEST_SUITE("models/stability/moments") {
  TEST_CASE("activations' moments are the integrals over Gaussians") {
    for (const double variance : {0.5, 3.0}) {
      check_activation(Activation::relu, variance, 0.6, 2e-3);
      check_activation(Activation::squared_relu, variance, 0.6, 2e-3);
      check_activation(Activation::gelu, variance, 0.6, 2e-3);
    }
  }

  TEST_CASE("a gated activation is the product of two inputs, and its gradient reaches both") {
    // E[gelu(u)^2] E[v^2] at variance 1: 0.4251 (the integral) times 1.
    const Moments out = activation(Activation::geglu, {0, 1, 0.5});
    const double square = expected(
        1, 0, [](double u, double) { return std::pow(testing::act(Activation::gelu, u), 2); });
    CHECK(square == near(0.4252, 1e-3));
    CHECK(out.variance == doctest::Approx(square));
    CHECK(out.mean == 0);
    const double slope = activation_back(Activation::gelu, {1, 0}, {0, 1, 0.5}).variance;
    CHECK(activation_back(Activation::geglu, {1, 0}, {0, 1, 0.5}).variance ==
          doctest::Approx(slope + square));
  }

  TEST_CASE("a linear layer scales squares, mean included; dropout raises variance only") {
    // 100 x 0.02 x (3 + 1) = 8; covariance 100 x 0.02 x (1.5 + 1) = 5.
    const Moments out = linear({1, 3, 1.5}, 100, 0.02);
    CHECK(out.variance == doctest::Approx(8));
    CHECK(out.covariance == doctest::Approx(5));
    CHECK(out.mean == 0);
    // (3 + 0.25 x 1) / 0.75
    CHECK(dropout({1, 3, 1.5}, 0.25).variance == doctest::Approx(13.0 / 3));
    CHECK(dropout({1, 3, 1.5}, 0.25).covariance == 1.5);
    CHECK(layer_norm_back({4, 2}, {0, 8, 1}).variance == 0.5);
  }

  TEST_CASE("norm after norm keeps the correlation: no factor 1 - 1/width each time") {
    testing::Draws draws(5, "norms");
    testing::Matrix x = draws.tokens(16, 64, 2, 0.5);
    testing::Sample first, tenth;
    x = testing::normed(x);
    first.add(x);
    for (int i = 0; i < 9; ++i) x = testing::normed(x);
    tenth.add(x);
    CHECK(tenth.covariance() == near(first.covariance(), 1e-9));
    CHECK(std::pow(1 - 1.0 / 64, 9) < 0.87);  // what the factor would have left of it
  }

  TEST_CASE("softmax's variance is that of real rows within the published 4 %") {
    testing::Draws draws(11, "softmax");
    const double keys = 256;
    double square = 0;
    for (int row = 0; row < 400; ++row) {
      double sum = 0, squares = 0;
      for (int j = 0; j < 256; ++j) {
        const double p = std::exp(std::sqrt(0.5) * draws.normal());
        sum += p;
        squares += p * p;
      }
      square += squares / (sum * sum * keys) / 400;
    }
    const Moments out = softmax(0.5, 0, keys);
    CHECK(out.mean == 1 / keys);
    CHECK(out.variance == near(square - 1 / (keys * keys), 0.04));
  }

  TEST_CASE("attention's variance and covariance hold within 8 % up to score variance 1") {
    for (const double score_variance : {0.25, 1.0}) {
      const Attended a = attended(score_variance, 0.4, 12);
      CHECK_FALSE(a.predicted.clamped);
      CHECK(a.predicted.score_variance == doctest::Approx(score_variance));
      CHECK(a.predicted.out.variance == near(a.out.variance(), 0.08));
      CHECK(a.predicted.out.covariance == near(a.out.covariance(), 0.08));
    }
  }

  TEST_CASE("at score variance 4 the formula is far off, is cut and says so") {
    const Attended a = attended(4.0, 0.0, 8);
    CHECK(a.predicted.clamped);
    CHECK(a.predicted.formula > 2.5 * a.out.variance());
    CHECK(a.predicted.out.variance <= 1.0);  // no more than one value
    CHECK(a.predicted.out.variance >= a.out.variance());
  }

  TEST_CASE("what the published gradient leaves out is through the scores and common choices") {
    const double r = 0.4;
    const Attended a = attended(0.8, r, 12);
    AttentionSetup setup;
    setup.width = setup.value_width = setup.tokens = 64;
    setup.query_key_variance = std::sqrt(0.8 / (1 - r)) / 64;
    setup.value_variance = 1.0 / 64;
    const Gradient through_values = attention_back(setup, {1, 0.3});
    const double through_scores = attention_back_beyond(setup, {1, 0.3}, {0, 1, r});
    CHECK(through_values.variance < 0.75 * a.back.variance());
    CHECK(through_values.variance + through_scores == near(a.back.variance(), 0.15));
    CHECK(through_values.covariance == near(a.back.covariance(), 0.1));
  }
}

}  // namespace
}  // namespace forerun::stability
