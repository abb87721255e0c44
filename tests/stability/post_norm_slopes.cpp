/// How fast the gradients of real random post-norm transformers grow from layer to layer, one
/// network after the other: 192 layers of Xavier's weights with dropout 0.1, the set-up of Kedia et
/// al. 2024 (arXiv:2403.09635; xavier_signal_propagation_figures/make_figs.sh) at a quarter of its
/// width. What is measured is theirs too: the norm of the gradient of all of a layer's matrices.
/// Some minutes; prints what docs/stability.md says of it beside the formula's slope.

#include <fmt/format.h>

#include <Eigen/Dense>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "core/statistics.h"
#include "models/stability/signal_propagation.h"

namespace forerun::stability {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Column = Eigen::VectorXf;

constexpr int kLayers = 192, kWidth = 256, kHeads = 16, kHead = kWidth / kHeads, kWide = 4 * kWidth;
constexpr int kTokens = 256, kNetworks = 4;
constexpr float kDropout = 0.1F;

Matrix drawn(const std::string& name, Eigen::Index rows, Eigen::Index columns, double variance) {
  const Stream stream(1, name);
  const double side = std::sqrt(12 * variance);  // of a uniform number
  Matrix m(rows, columns);
  for (Eigen::Index i = 0; i < m.size(); ++i) {
    m.data()[i] = static_cast<float>(side * (stream.uniform(static_cast<std::uint64_t>(i)) - 0.5));
  }
  return m;
}

Matrix mask(const std::string& name, Eigen::Index rows, Eigen::Index columns) {
  const Stream stream(1, name);
  Matrix m(rows, columns);
  for (Eigen::Index i = 0; i < m.size(); ++i) {
    const bool dropped =
        stream.uniform(static_cast<std::uint64_t>(i)) < static_cast<double>(kDropout);
    m.data()[i] = dropped ? 0 : 1 / (1 - kDropout);
  }
  return m;
}

/// Tokens of mean square 1 and that correlation.
Matrix tokens(const std::string& name, double correlation) {
  const Matrix common = drawn(name + "/common", 1, kWidth, correlation);
  Matrix m = drawn(name + "/own", kTokens, kWidth, 1 - correlation);
  m.rowwise() += common.row(0);
  return m;
}

struct Normed {
  Matrix y;
  Column scale;  ///< one over the deviation of each token
  explicit Normed(Matrix x) : y(std::move(x)), scale(y.rows()) {
    for (Eigen::Index i = 0; i < y.rows(); ++i) {
      y.row(i).array() -= y.row(i).mean();
      scale[i] = std::sqrt(static_cast<float>(y.cols()) / y.row(i).squaredNorm());
      y.row(i) *= scale[i];
    }
  }
  [[nodiscard]] Matrix back(const Matrix& g) const {
    Matrix out = g;
    for (Eigen::Index i = 0; i < g.rows(); ++i) {
      const float along = g.row(i).dot(y.row(i)) / static_cast<float>(g.cols());
      out.row(i).array() -= g.row(i).mean() + y.row(i).array() * along;
      out.row(i) *= scale[i];
    }
    return out;
  }
};

/// Square of the norm of the gradient of a matrix, from what entered it and the gradient of what
/// left it: the sum over pairs of tokens of both products.
double of_matrix(const Matrix& in, const Matrix& g) {
  const Matrix x = in * in.transpose(), y = g * g.transpose();
  return static_cast<double>(x.cwiseProduct(y).sum());
}

/// One layer: drawn, run forwards at once, and back when asked.
class Layer {
 public:
  Layer(const std::string& name, Matrix in)
      : in_(std::move(in)),
        weights_(weight_variances(models::Initialisation::xavier, {.layers = kLayers,
                                                                   .hidden = kWidth,
                                                                   .head_dim = kHead,
                                                                   .ffn = kWide,
                                                                   .dropout = kDropout})),
        wq_(drawn(name + "/q", kWidth, kWidth, weights_.query_key)),
        wk_(drawn(name + "/k", kWidth, kWidth, weights_.query_key)),
        wv_(drawn(name + "/v", kWidth, kWidth, weights_.value)),
        wo_(drawn(name + "/o", kWidth, kWidth, weights_.output)),
        up_(drawn(name + "/up", kWidth, kWide, weights_.up)),
        down_(drawn(name + "/down", kWide, kWidth, weights_.down)),
        drop1_(mask(name + "/drop1", kTokens, kWidth)),
        drop2_(mask(name + "/drop2", kTokens, kWidth)),
        q_(in_ * wq_),
        k_(in_ * wk_),
        v_(in_ * wv_),
        context_(attend(name)),
        first_(in_ + (context_ * wo_).cwiseProduct(drop1_)),
        hidden_((first_.y * up_).cwiseMax(0.0F)),
        second_(first_.y + (hidden_ * down_).cwiseProduct(drop2_)) {}

  [[nodiscard]] const Matrix& out() const { return second_.y; }

  /// The gradient of what entered, and the square of the norm of all matrices'.
  Matrix back(const Matrix& top, double& squares) const {
    const Matrix at_sum = second_.back(top);
    const Matrix at_down = at_sum.cwiseProduct(drop2_);
    const Matrix slope = (hidden_.array() > 0).cast<float>();
    const Matrix at_up = (at_down * down_.transpose()).cwiseProduct(slope);
    const Matrix at_first = first_.back(at_sum + at_up * up_.transpose());
    const Matrix at_output = at_first.cwiseProduct(drop1_);
    const Matrix at_context = at_output * wo_.transpose();
    Matrix gq(kTokens, kWidth), gk(kTokens, kWidth), gv(kTokens, kWidth);
    for (int h = 0; h < kHeads; ++h) {
      const auto part = [h](const Matrix& m) { return m.middleCols(h * kHead, kHead); };
      const Matrix& p = probabilities_[static_cast<std::size_t>(h)];
      const Matrix& drop = drops_[static_cast<std::size_t>(h)];
      const Matrix g = part(at_context);
      Matrix scores = (g * part(v_).transpose()).cwiseProduct(drop).cwiseProduct(p);
      const Column sums = scores.rowwise().sum();
      scores -= sums.asDiagonal() * p;
      scores /= std::sqrt(static_cast<float>(kHead));
      gv.middleCols(h * kHead, kHead) = p.cwiseProduct(drop).transpose() * g;
      gq.middleCols(h * kHead, kHead) = scores * part(k_);
      gk.middleCols(h * kHead, kHead) = scores.transpose() * part(q_);
    }
    squares = of_matrix(hidden_, at_down) + of_matrix(first_.y, at_up) +
              of_matrix(context_, at_output) + of_matrix(in_, gq) + of_matrix(in_, gk) +
              of_matrix(in_, gv);
    return at_first + gq * wq_.transpose() + gk * wk_.transpose() + gv * wv_.transpose();
  }

 private:
  Matrix attend(const std::string& name) {
    Matrix out(kTokens, kWidth);
    for (int h = 0; h < kHeads; ++h) {
      const auto part = [h](const Matrix& m) { return m.middleCols(h * kHead, kHead); };
      Matrix p =
          (part(q_) * part(k_).transpose() / std::sqrt(static_cast<float>(kHead))).array().exp();
      const Column sums = p.rowwise().sum();
      p = sums.cwiseInverse().asDiagonal() * p;
      drops_.push_back(mask(fmt::format("{}/drop/{}", name, h), kTokens, kTokens));
      out.middleCols(h * kHead, kHead) = p.cwiseProduct(drops_.back()) * part(v_);
      probabilities_.push_back(std::move(p));
    }
    return out;
  }

  Matrix in_;
  WeightVariances weights_;
  Matrix wq_, wk_, wv_, wo_, up_, down_, drop1_, drop2_, q_, k_, v_;
  std::vector<Matrix> probabilities_, drops_;
  Matrix context_;
  Normed first_;
  Matrix hidden_;
  Normed second_;
};

/// Least-squares slope of the logarithm of layers' gradient norms, without the first and the last
/// tenth; the factor from one layer to the next above.
double slope_of(int network) {
  const std::string name = fmt::format("network/{}", network);
  // Layers are drawn again on the way back: all at once would take gigabytes.
  std::vector<Matrix> entering{Normed(tokens(name + "/in", SignalSetup{}.input_correlation)).y};
  const auto layer = [&](int l) {
    return Layer(fmt::format("{}/{}", name, l), entering[static_cast<std::size_t>(l)]);
  };
  for (int l = 0; l + 1 < kLayers; ++l) entering.push_back(layer(l).out());
  Matrix g = tokens(name + "/gradient", SignalSetup{}.gradient_correlation);
  std::vector<double> norms(kLayers);
  for (int l = kLayers; l-- > 0;) {
    double squares = 0;
    g = layer(l).back(g, squares);
    norms[static_cast<std::size_t>(l)] = std::log(squares) / 2;
  }
  const int edge = kLayers / 10;
  const double middle = (kLayers - 1) / 2.0;
  double product = 0, spread = 0;
  for (int l = edge; l < kLayers - edge; ++l) {
    product += (l - middle) * norms[static_cast<std::size_t>(l)];
    spread += (l - middle) * (l - middle);
  }
  return std::exp(product / spread);
}

SignalSetup setup(double tokens_of_a_query) {
  SignalSetup s;
  s.layers = kLayers;
  s.hidden = kWidth;
  s.heads = kHeads;
  s.ffn = kWide;
  s.tokens = tokens_of_a_query;
  s.order = ResidualOrder::post_norm;
  s.dropout = s.attention_dropout = static_cast<double>(kDropout);
  return s;
}

}  // namespace
}  // namespace forerun::stability

int main() {
  using namespace forerun::stability;
  fmt::print("formula: {:.4f}, of very long sequences {:.4f}\n",
             propagate(setup(kTokens)).gradient_ratio(), propagate(setup(1e6)).gradient_ratio());
  std::vector<double> slopes;
  for (int i = 0; i < kNetworks; ++i) {
    slopes.push_back(slope_of(i));
    fmt::print("network {}: {:.4f}\n", i, slopes.back());
    std::fflush(stdout);
  }
  const double mean = forerun::mean(slopes);
  double squares = 0;
  for (const double s : slopes) squares += (s - mean) * (s - mean);
  fmt::print("mean {:.4f}, standard deviation {:.4f}\n", mean,
             std::sqrt(squares / static_cast<double>(slopes.size() - 1)));
  return 0;
}
