#include "hw/fit/grid_fit.h"

#include <algorithm>
#include <cmath>

namespace forerun::hw {

namespace {

/// One row of the penalty: a second difference over three neighbouring knots of one axis.
struct Bend {
  std::array<std::size_t, 3> index;
  std::array<double, 3> factor;
};

std::vector<Bend> bends(const std::array<std::vector<double>, 3>& knots, double penalty) {
  std::vector<Bend> out;
  const std::array<std::size_t, 3> n = {knots[0].size(), knots[1].size(), knots[2].size()};
  const auto index = [&](const std::array<std::size_t, 3>& at) {
    return (at[0] * n[1] + at[1]) * n[2] + at[2];
  };
  std::array<std::size_t, 3> at{};
  for (at[0] = 0; at[0] < n[0]; ++at[0]) {
    for (at[1] = 0; at[1] < n[1]; ++at[1]) {
      for (at[2] = 0; at[2] < n[2]; ++at[2]) {
        for (std::size_t d = 0; d < 3; ++d) {
          if (at[d] == 0 || at[d] + 1 == n[d]) continue;
          auto left = at, right = at;
          --left[d];
          ++right[d];
          const double a = knots[d][at[d]] - knots[d][left[d]];
          const double b = knots[d][right[d]] - knots[d][at[d]];
          // Second derivative times the root of the interval that it stands for, with knots that
          // lie farther apart bent as easily as close ones.
          const double scale = std::sqrt(penalty) * std::pow((a + b) / 2, 1.5);
          const double fl = 2 / (a * (a + b)) * scale, fr = 2 / (b * (a + b)) * scale;
          out.push_back({{index(left), index(at), index(right)}, {fl, -(fl + fr), fr}});
        }
      }
    }
  }
  return out;
}

class NormalEquations {
 public:
  NormalEquations(const std::array<std::vector<double>, 3>& knots,
                  const std::vector<GridSample>& samples, const GridSmoothing& smoothing)
      : samples_(samples),
        bends_(bends(knots, smoothing.penalty)),
        ridge_(smoothing.ridge),
        unknowns_(knots[0].size() * knots[1].size() * knots[2].size()) {
    const ResidualGrid places(knots, std::vector<double>(unknowns_, 0));
    for (const GridSample& s : samples) {
      corners_.push_back(places.corners(s.at[0], s.at[1], s.at[2]));
      weight_.push_back(s.weight);
    }
  }

  [[nodiscard]] std::size_t unknowns() const { return unknowns_; }

  [[nodiscard]] double value(std::size_t sample, const std::vector<double>& x) const {
    const ResidualGrid::Corners& c = corners_[sample];
    double v = 0;
    for (std::size_t j = 0; j < 8; ++j) v += c.weight[j] * x[c.index[j]];
    return v;
  }

  void reweight(const std::vector<double>& x, double outlier) {
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      const double e = std::abs(samples_[i].value - value(i, x));
      weight_[i] = samples_[i].weight * (e <= outlier ? 1 : outlier / e);
    }
  }

  [[nodiscard]] std::vector<double> right_side() const {
    std::vector<double> b(unknowns_, 0);
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      spread(i, weight_[i] * samples_[i].value, b);
    }
    return b;
  }

  [[nodiscard]] std::vector<double> times(const std::vector<double>& x) const {
    std::vector<double> out(unknowns_);
    for (std::size_t i = 0; i < unknowns_; ++i) out[i] = ridge_ * x[i];
    for (std::size_t i = 0; i < samples_.size(); ++i) spread(i, weight_[i] * value(i, x), out);
    for (const Bend& b : bends_) {
      double s = 0;
      for (std::size_t j = 0; j < 3; ++j) s += b.factor[j] * x[b.index[j]];
      for (std::size_t j = 0; j < 3; ++j) out[b.index[j]] += b.factor[j] * s;
    }
    return out;
  }

 private:
  void spread(std::size_t sample, double amount, std::vector<double>& out) const {
    const ResidualGrid::Corners& c = corners_[sample];
    for (std::size_t j = 0; j < 8; ++j) out[c.index[j]] += c.weight[j] * amount;
  }

  const std::vector<GridSample>& samples_;
  std::vector<ResidualGrid::Corners> corners_;
  std::vector<double> weight_;
  std::vector<Bend> bends_;
  double ridge_;
  std::size_t unknowns_;
};

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double s = 0;
  for (std::size_t i = 0; i < a.size(); ++i) s += a[i] * b[i];
  return s;
}

/// Conjugate gradients from `x` (Hestenes and Stiefel 1952).
void solve(const NormalEquations& equations, std::vector<double>& x) {
  constexpr int kMostSteps = 400;
  constexpr double kTolerance = 1e-8;
  std::vector<double> r = equations.right_side();
  const std::vector<double> start = equations.times(x);
  for (std::size_t i = 0; i < r.size(); ++i) r[i] -= start[i];
  std::vector<double> p = r;
  double rr = dot(r, r);
  const double enough = kTolerance * rr;
  for (int step = 0; step < kMostSteps && rr > enough; ++step) {
    const std::vector<double> q = equations.times(p);
    const double alpha = rr / dot(p, q);
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] += alpha * p[i];
      r[i] -= alpha * q[i];
    }
    const double next = dot(r, r);
    for (std::size_t i = 0; i < x.size(); ++i) p[i] = r[i] + next / rr * p[i];
    rr = next;
  }
}

}  // namespace

ResidualGrid fit_grid(const std::array<std::vector<double>, 3>& knots,
                      const std::vector<GridSample>& samples, const GridSmoothing& smoothing) {
  NormalEquations equations(knots, samples, smoothing);
  std::vector<double> x(equations.unknowns(), 0);
  for (int i = 0; i < smoothing.reweightings; ++i) {
    solve(equations, x);
    equations.reweight(x, smoothing.outlier);
  }
  for (double& v : x) v = std::round(v * 1000) / 1000;
  return {knots, std::move(x)};
}

}  // namespace forerun::hw
