#pragma once

/// A real random transformer for tests: weights drawn, sequences of correlated tokens sent through
/// actual products, softmax, norms and activations, and gradients sent back, all in plain loops.
/// Every sequence has weights of its own, so that a mean over sequences is one over networks.

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/statistics.h"
#include "models/stability/signal_propagation.h"

namespace forerun::stability::testing {

/// `rows` tokens of `columns` elements.
struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<double> data;
  Matrix(std::size_t r, std::size_t c) : rows(r), columns(c), data(r * c) {}
  double* row(std::size_t i) { return data.data() + i * columns; }
  [[nodiscard]] const double* row(std::size_t i) const { return data.data() + i * columns; }
};

/// Within a share of `value`. (Approx alone allows that share of 1 more.)
inline doctest::Approx near(double value, double share) {
  return doctest::Approx(value).epsilon(share).scale(0);
}

/// Draws in order, from one stream.
class Draws {
 public:
  Draws(std::uint64_t seed, const std::string& name) : stream_(seed, name) {}
  double normal() { return stream_.normal(next_++); }
  Matrix matrix(std::size_t rows, std::size_t columns, double variance) {
    Matrix m(rows, columns);
    const double deviation = std::sqrt(variance);
    for (double& x : m.data) x = deviation * normal();
    return m;
  }
  /// A vector of mean square 1.
  std::vector<double> unit(std::size_t n) {
    std::vector<double> v(n);
    double square = 0;
    for (double& x : v) {
      x = normal();
      square += x * x / static_cast<double>(n);
    }
    for (double& x : v) x /= std::sqrt(square);
    return v;
  }
  /// Tokens whose elements have the variance and, between tokens, the correlation: a common part
  /// and one of their own, each of exactly its size, so that few sequences do.
  Matrix tokens(std::size_t rows, std::size_t columns, double variance, double correlation) {
    Matrix m(rows, columns);
    const std::vector<double> common = unit(columns);
    for (std::size_t i = 0; i < rows; ++i) {
      const std::vector<double> own = unit(columns);
      for (std::size_t j = 0; j < columns; ++j) {
        m.row(i)[j] = std::sqrt(variance) *
                      (std::sqrt(correlation) * common[j] + std::sqrt(1 - correlation) * own[j]);
      }
    }
    return m;
  }

 private:
  Stream stream_;
  std::uint64_t next_ = 0;
};

inline Matrix times(const Matrix& a, const Matrix& b) {
  Matrix out(a.rows, b.columns);
  for (std::size_t i = 0; i < a.rows; ++i) {
    double* o = out.row(i);
    for (std::size_t k = 0; k < a.columns; ++k) {
      const double x = a.row(i)[k];
      const double* w = b.row(k);
      for (std::size_t j = 0; j < b.columns; ++j) o[j] += x * w[j];
    }
  }
  return out;
}

inline Matrix transposed(const Matrix& a) {
  Matrix out(a.columns, a.rows);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.columns; ++j) out.row(j)[i] = a.row(i)[j];
  }
  return out;
}

/// Of all elements of a network's tokens, and of the same element of two tokens, about a mean of 0:
/// the mean over networks.
class Sample {
 public:
  void add(const Matrix& m) {
    const double n = static_cast<double>(m.rows);
    const double width = static_cast<double>(m.columns);
    double squares = 0, products = 0;
    for (std::size_t j = 0; j < m.columns; ++j) {
      double sum = 0, own = 0;
      for (std::size_t i = 0; i < m.rows; ++i) {
        sum += m.row(i)[j];
        own += m.row(i)[j] * m.row(i)[j];
      }
      squares += own / n;
      products += (sum * sum - own) / (n * (n - 1));
    }
    squares_.push_back(squares / width);
    products_.push_back(products / width);
  }
  [[nodiscard]] double variance() const { return forerun::mean(squares_); }
  [[nodiscard]] double covariance() const { return forerun::mean(products_); }

 private:
  std::vector<double> squares_, products_;
};

inline Matrix normed(const Matrix& x) {
  Matrix out = x;
  const double n = static_cast<double>(x.columns);
  for (std::size_t i = 0; i < x.rows; ++i) {
    double sum = 0, square = 0;
    for (std::size_t j = 0; j < x.columns; ++j) sum += x.row(i)[j];
    for (std::size_t j = 0; j < x.columns; ++j) {
      square += (x.row(i)[j] - sum / n) * (x.row(i)[j] - sum / n);
    }
    for (std::size_t j = 0; j < x.columns; ++j) {
      out.row(i)[j] = (x.row(i)[j] - sum / n) / std::sqrt(square / n);
    }
  }
  return out;
}

/// d/dx of normed(x), times g.
inline Matrix normed_back(const Matrix& g, const Matrix& x) {
  const Matrix y = normed(x);
  Matrix out = g;
  const double n = static_cast<double>(x.columns);
  for (std::size_t i = 0; i < x.rows; ++i) {
    double sum = 0, square = 0, mean_g = 0, mean_gy = 0;
    for (std::size_t j = 0; j < x.columns; ++j) {
      sum += x.row(i)[j];
      square += x.row(i)[j] * x.row(i)[j];
      mean_g += g.row(i)[j] / n;
      mean_gy += g.row(i)[j] * y.row(i)[j] / n;
    }
    const double deviation = std::sqrt(square / n - sum * sum / (n * n));
    for (std::size_t j = 0; j < x.columns; ++j) {
      out.row(i)[j] = (g.row(i)[j] - mean_g - y.row(i)[j] * mean_gy) / deviation;
    }
  }
  return out;
}

inline double act(models::Activation kind, double x) {
  if (kind == models::Activation::relu) return x > 0 ? x : 0;
  if (kind == models::Activation::squared_relu) return x > 0 ? x * x : 0;
  return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
}

inline double slope(models::Activation kind, double x) {
  if (kind == models::Activation::relu) return x > 0 ? 1 : 0;
  if (kind == models::Activation::squared_relu) return x > 0 ? 2 * x : 0;
  return (1 + std::erf(x / std::sqrt(2.0))) / 2 +
         x * std::exp(-x * x / 2) / std::sqrt(2 * 3.14159265358979324);
}

/// Multi-head attention without its output matrix, and what its gradient needs. The gradient flows
/// through values and through scores.
class RealAttention {
 public:
  RealAttention(Draws& draws, std::size_t width, std::size_t heads, double query_key_variance,
                double value_variance)
      : heads_(heads),
        wq_(draws.matrix(width, width, query_key_variance)),
        wk_(draws.matrix(width, width, query_key_variance)),
        wv_(draws.matrix(width, width, value_variance)),
        q_(0, 0),
        k_(0, 0),
        v_(0, 0) {}

  Matrix forward(const Matrix& x) {
    q_ = times(x, wq_);
    k_ = times(x, wk_);
    v_ = times(x, wv_);
    probabilities_.clear();
    Matrix out(x.rows, x.columns);
    const std::size_t size = x.columns / heads_;
    for (std::size_t h = 0; h < heads_; ++h) {
      const Matrix scores = times(part(q_, h, size), transposed(part(k_, h, size)));
      Matrix p = scores;
      for (std::size_t i = 0; i < p.rows; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < p.columns; ++j) {
          const double score = scores.row(i)[j] / std::sqrt(static_cast<double>(size));
          p.row(i)[j] = std::exp(score);
          sum += p.row(i)[j];
        }
        for (std::size_t j = 0; j < p.columns; ++j) p.row(i)[j] /= sum;
      }
      put(out, times(p, part(v_, h, size)), h, size);
      probabilities_.push_back(p);
    }
    return out;
  }

  [[nodiscard]] Matrix back(const Matrix& g) const {
    const std::size_t size = g.columns / heads_;
    Matrix gq(g.rows, g.columns), gk(g.rows, g.columns), gv(g.rows, g.columns);
    for (std::size_t h = 0; h < heads_; ++h) {
      const Matrix& p = probabilities_[h];
      const Matrix gh = part(g, h, size);
      put(gv, times(transposed(p), gh), h, size);
      Matrix gs = times(gh, transposed(part(v_, h, size)));
      for (std::size_t i = 0; i < gs.rows; ++i) {
        double mean = 0;
        for (std::size_t j = 0; j < gs.columns; ++j) mean += gs.row(i)[j] * p.row(i)[j];
        for (std::size_t j = 0; j < gs.columns; ++j) {
          gs.row(i)[j] = p.row(i)[j] * (gs.row(i)[j] - mean) / std::sqrt(static_cast<double>(size));
        }
      }
      put(gq, times(gs, part(k_, h, size)), h, size);
      put(gk, times(transposed(gs), part(q_, h, size)), h, size);
    }
    Matrix out = times(gv, transposed(wv_));
    const Matrix through_q = times(gq, transposed(wq_));
    const Matrix through_k = times(gk, transposed(wk_));
    for (std::size_t i = 0; i < out.data.size(); ++i) {
      out.data[i] += through_q.data[i] + through_k.data[i];
    }
    return out;
  }

 private:
  static Matrix part(const Matrix& m, std::size_t head, std::size_t size) {
    Matrix out(m.rows, size);
    for (std::size_t i = 0; i < m.rows; ++i) {
      for (std::size_t j = 0; j < size; ++j) out.row(i)[j] = m.row(i)[head * size + j];
    }
    return out;
  }
  static void put(Matrix& m, const Matrix& from, std::size_t head, std::size_t size) {
    for (std::size_t i = 0; i < m.rows; ++i) {
      for (std::size_t j = 0; j < size; ++j) m.row(i)[head * size + j] = from.row(i)[j];
    }
  }

  std::size_t heads_;
  Matrix wq_, wk_, wv_, q_, k_, v_;
  std::vector<Matrix> probabilities_;
};

/// One residual block of the network, forwards and back.
class RealBlock {
 public:
  RealBlock(Draws& draws, const SignalSetup& s, bool is_attention, double correlation)
      : setup_(s),
        is_attention_(is_attention),
        weights_(weight_variances(s.initialisation, {.layers = static_cast<double>(s.layers),
                                                     .hidden = static_cast<double>(s.hidden),
                                                     .head_dim = static_cast<double>(s.hidden) /
                                                                 static_cast<double>(s.heads),
                                                     .ffn = static_cast<double>(s.ffn),
                                                     .dropout = 0,
                                                     .correlation = correlation})),
        attention_(draws, is_attention ? width() : 1, is_attention ? heads() : 1,
                   weights_.query_key, weights_.value),
        first_(is_attention ? Matrix(0, 0) : draws.matrix(width(), ffn(), weights_.up)),
        last_(is_attention ? draws.matrix(width(), width(), weights_.output)
                           : draws.matrix(ffn(), width(), weights_.down)),
        x_(0, 0),
        raw_(0, 0),
        sum_(0, 0),
        hidden_(0, 0) {}

  Matrix forward(const Matrix& x) {
    x_ = x;
    raw_ = branch(before() ? normed(x) : x);
    const Matrix f = after() ? normed(raw_) : raw_;
    sum_ = x;
    for (std::size_t i = 0; i < x.data.size(); ++i) {
      sum_.data[i] =
          std::sqrt(setup_.keep_squared) * x.data[i] + std::sqrt(setup_.block_squared) * f.data[i];
    }
    return setup_.order == ResidualOrder::post_norm ? normed(sum_) : sum_;
  }

  [[nodiscard]] Matrix back(const Matrix& top) const {
    const Matrix g = setup_.order == ResidualOrder::post_norm ? normed_back(top, sum_) : top;
    Matrix f = g;
    for (double& value : f.data) value *= std::sqrt(setup_.block_squared);
    if (after()) f = normed_back(f, raw_);
    f = branch_back(f);
    if (before()) f = normed_back(f, x_);
    for (std::size_t i = 0; i < f.data.size(); ++i) {
      f.data[i] += std::sqrt(setup_.keep_squared) * g.data[i];
    }
    return f;
  }

 private:
  [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(setup_.hidden); }
  [[nodiscard]] std::size_t heads() const { return static_cast<std::size_t>(setup_.heads); }
  [[nodiscard]] std::size_t ffn() const { return static_cast<std::size_t>(setup_.ffn); }
  [[nodiscard]] bool before() const {
    return setup_.order == ResidualOrder::pre_norm || setup_.order == ResidualOrder::both;
  }
  [[nodiscard]] bool after() const {
    return setup_.order == ResidualOrder::swin || setup_.order == ResidualOrder::both;
  }
  Matrix branch(const Matrix& in) {
    if (is_attention_) return times(attention_.forward(in), last_);
    hidden_ = times(in, first_);
    Matrix active = hidden_;
    for (double& value : active.data) value = act(setup_.activation, value);
    return times(active, last_);
  }
  [[nodiscard]] Matrix branch_back(const Matrix& g) const {
    Matrix inner = times(g, transposed(last_));
    if (is_attention_) return attention_.back(inner);
    for (std::size_t i = 0; i < inner.data.size(); ++i) {
      inner.data[i] *= slope(setup_.activation, hidden_.data[i]);
    }
    return times(inner, transposed(first_));
  }

  const SignalSetup& setup_;
  bool is_attention_;
  WeightVariances weights_;
  RealAttention attention_;
  Matrix first_, last_, x_, raw_, sum_, hidden_;
};

/// What was measured, as LayerSignal tells what was predicted.
struct Measured {
  std::vector<Sample> stream, gradient;  ///< leaving each layer; entering it from above
  Sample input_gradient;
};

/// `correlation` of what enters each layer is the formula's, as in DeepScaleLM's initialisation.
inline Measured measure(const SignalSetup& s, const SignalPropagation& predicted,
                        std::int64_t sequences, const std::string& name) {
  Measured result;
  const std::size_t layers = static_cast<std::size_t>(s.layers);
  result.stream.resize(layers);
  result.gradient.resize(layers);
  const std::size_t tokens = static_cast<std::size_t>(s.tokens);
  const std::size_t width = static_cast<std::size_t>(s.hidden);
  for (std::int64_t n = 0; n < sequences; ++n) {
    Draws draws(7, name + "/" + std::to_string(n));
    Matrix x = draws.tokens(tokens, width, s.input_variance, s.input_correlation);
    std::vector<RealBlock> blocks;
    blocks.reserve(2 * layers);
    for (std::size_t i = 0; i < layers; ++i) {
      const double r = i == 0 ? s.input_correlation : predicted.layers[i - 1].correlation;
      blocks.emplace_back(draws, s, true, r);
      x = blocks.back().forward(x);
      blocks.emplace_back(draws, s, false, r);
      x = blocks.back().forward(x);
      result.stream[i].add(x);
    }
    Matrix g = draws.tokens(tokens, width, 1, s.gradient_correlation);
    for (std::size_t i = layers; i-- > 0;) {
      result.gradient[i].add(g);
      g = blocks[2 * i].back(blocks[2 * i + 1].back(g));
    }
    result.input_gradient.add(g);
  }
  return result;
}

}  // namespace forerun::stability::testing
