#include "models/loss/fit/identifiability.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <set>

#include "core/table.h"

namespace forerun::models {
namespace {

constexpr double kCorrelated = 0.95;
constexpr double kUnseen = 1e-7;  ///< singular value by the largest: no digits left of a direction

bool at_limit(const Unknown& u, double c) {
  const double low = variable(u, u.least), high = variable(u, u.most), at = variable(u, c);
  return at - low < 1e-6 * (high - low) || high - at < 1e-6 * (high - low);
}

/// The fitted variables that are free, and their columns of J weighed by the terms.
struct Slopes {
  std::vector<std::size_t> free;
  Eigen::MatrixXd j;
};
Slopes slopes(const Model& model, const StageFit& fit) {
  Slopes out;
  for (std::size_t k = 0; k < fit.constants.size(); ++k) {
    if (!at_limit(fit.unknowns[k], fit.constants[k])) out.free.push_back(k);
  }
  const Residuals r = residuals(model, fit.constants, true);
  const std::size_t width = fit.constants.size();
  out.j.resize(static_cast<Eigen::Index>(r.values.size()),
               static_cast<Eigen::Index>(out.free.size()));
  for (std::size_t i = 0; i < r.values.size(); ++i) {
    const double root = std::sqrt(model.terms()[i].weight);
    for (std::size_t c = 0; c < out.free.size(); ++c) {
      out.j(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(c)) =
          root * r.jacobian[i * width + out.free[c]];
    }
  }
  return out;
}

Eigen::MatrixXd inverse(const Eigen::MatrixXd& information) {
  // Of unit diagonal first: columns differ by many decades.
  const Eigen::VectorXd scale = information.diagonal().cwiseMax(1e-300).cwiseSqrt().cwiseInverse();
  const Eigen::MatrixXd scaled = scale.asDiagonal() * information * scale.asDiagonal();
  const Eigen::MatrixXd pseudo = scaled.completeOrthogonalDecomposition().pseudoInverse();
  return scale.asDiagonal() * pseudo * scale.asDiagonal();
}

/// Sizes from a quarter of the least to four times the largest, and so of tokens.
std::vector<double> around(const std::vector<double>& values, double beyond, int count) {
  const auto [least, most] = std::ranges::minmax_element(values);
  const double low = std::log(*least / beyond), high = std::log(*most * beyond);
  std::vector<double> out;
  for (int i = 0; i < count; ++i) out.push_back(std::exp(low + (high - low) * i / (count - 1)));
  return out;
}

std::vector<DesignPoint> candidates(const Stage& stage, double budget) {
  constexpr int kGrid = 15;
  std::vector<DesignPoint> out;
  const std::set<double> experts(stage.experts.begin(), stage.experts.end());
  for (const double n : around(stage.sizes, 4, kGrid)) {
    for (const double d : around(stage.tokens, 4, kGrid)) {
      if (6 * n * d > budget) continue;
      for (const double e : experts) out.push_back({n, d, e});
    }
  }
  return out;
}

}  // namespace

Identifiability identifiability(const Model& model, const StageFit& fit) {
  Identifiability out;
  out.standard_errors.resize(fit.constants.size());
  const Slopes s = slopes(model, fit);
  if (s.free.empty()) return out;
  const Eigen::VectorXd norms = s.j.colwise().norm().cwiseMax(1e-300);
  const Eigen::MatrixXd scaled = s.j * norms.cwiseInverse().asDiagonal();
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(scaled, Eigen::ComputeThinV);
  const Eigen::VectorXd& sizes = svd.singularValues();
  const Eigen::Index last = sizes.size() - 1;
  out.condition = sizes(last) > 0 ? sizes(0) / sizes(last) : 1e300;
  const Eigen::MatrixXd covariance = fit.scatter * fit.scatter * inverse(s.j.transpose() * s.j);
  for (std::size_t a = 0; a < s.free.size(); ++a) {
    const auto i = static_cast<Eigen::Index>(a);
    if (sizes(last) < kUnseen * sizes(0) && std::abs(svd.matrixV()(i, last)) > 0.1) {
      out.unseen.push_back(fit.names[s.free[a]]);
    }
    out.standard_errors[s.free[a]] = std::sqrt(std::max(0.0, covariance(i, i)));
    for (std::size_t b = a + 1; b < s.free.size(); ++b) {
      const auto j = static_cast<Eigen::Index>(b);
      const double r = covariance(i, j) / std::sqrt(covariance(i, i) * covariance(j, j));
      if (std::abs(r) > kCorrelated) {
        out.correlated.push_back({fit.names[s.free[a]], fit.names[s.free[b]], r});
      }
    }
  }
  return out;
}

Weakest weakest_constant(const StageFit& fit) {
  Weakest out;
  for (std::size_t k = 0; k < fit.intervals.size(); ++k) {
    const Interval& i = fit.intervals[k];
    const double relative = (i.high - i.low) / std::max(std::abs(fit.constants[k]), 1e-12);
    if (relative > out.relative_width) out = {k, relative};
  }
  return out;
}

std::vector<NextRun> next_runs(const Stage& stage, const StageFit& fit,
                               const ConstantValues& values, double budget, std::size_t most) {
  std::vector<NextRun> out;
  const Weakest weakest = weakest_constant(fit);
  if (!stage.at || fit.intervals.empty()) return out;
  const std::vector<DesignPoint> points = candidates(stage, budget);
  const Slopes s = slopes(*stage.model(values), fit);
  const auto target = std::ranges::find(s.free, weakest.constant);
  if (points.empty() || target == s.free.end()) return out;
  const auto at = Eigen::Index{target - s.free.begin()};
  const Eigen::MatrixXd information = s.j.transpose() * s.j;
  const Eigen::MatrixXd covariance = inverse(information);
  const auto model = stage.at(values, points);
  const Slopes more = slopes(*model, fit);
  const Unknown& u = fit.unknowns[weakest.constant];
  const double middle = variable(u, fit.constants[weakest.constant]);
  const Interval now = fit.intervals[weakest.constant];
  const auto moved = [&](double end, double by) {
    return constant(u, middle + by * (variable(u, end) - middle));
  };
  for (std::size_t p = 0; p < points.size(); ++p) {
    // Sherman and Morrison, once for each loss that the run would tell.
    Eigen::MatrixXd updated = covariance;
    double determinant = 1;
    for (std::size_t t = 0; t < model->terms().size(); ++t) {
      if (model->terms()[t].block != p) continue;
      const Eigen::VectorXd row = more.j.row(static_cast<Eigen::Index>(t));
      const Eigen::VectorXd gain = updated * row;
      const double grows = 1 + row.dot(gain);
      updated -= gain * gain.transpose() / grows;
      determinant *= grows;
    }
    NextRun next;
    next.point = points[p];
    next.flops = 6 * points[p].parameters * points[p].tokens;
    next.narrower = std::sqrt(std::max(0.0, updated(at, at)) / covariance(at, at));
    next.weakest = {moved(now.low, next.narrower), moved(now.high, next.narrower)};
    next.all_share = 1 / std::sqrt(determinant);
    out.push_back(next);
  }
  std::ranges::stable_sort(out, {}, &NextRun::narrower);
  // Neighbours on the grid tell the same: of a size, the best alone.
  std::vector<NextRun> apart;
  std::set<double> taken;
  for (const NextRun& n : out) {
    if (apart.size() == most) break;
    if (taken.insert(n.point.parameters).second) apart.push_back(n);
  }
  return apart;
}

std::vector<std::string> fit_warnings(const Stages& stages, const Fit& fit) {
  std::vector<std::string> out;
  ConstantValues before;
  for (std::size_t s = 0; s < fit.stages.size(); ++s) {
    const StageFit& at = fit.stages[s];
    const auto model = stages.stages[s].model(before);
    for (std::size_t k = 0; k < at.constants.size(); ++k) before[at.names[k]] = at.constants[k];
    const Identifiability id = identifiability(*model, at);
    if (!at.converged) {
      out.push_back(fmt::format("{}: the search stopped before it had settled", at.what));
    }
    if (at.agreeing < 0.5) {
      out.push_back(
          fmt::format("{}: only {} of the starts came to this fit; another of the same "
                      "quality may exist",
                      at.what, show_percent(at.agreeing, 0)));
    }
    for (std::size_t k = 0; k < at.constants.size(); ++k) {
      if (at_limit(at.unknowns[k], at.constants[k])) {
        out.push_back(
            fmt::format("{} stands at its limit, {}: the runs ask for more than the form "
                        "allows, or do not bear upon it",
                        at.names[k], significant(at.constants[k], 4)));
      }
    }
    if (!id.unseen.empty()) {
      out.push_back(fmt::format("{} cannot be told apart: the runs fix a combination of them only",
                                fmt::join(id.unseen, ", ")));
    }
    for (std::size_t k = 0; k < at.intervals.size(); ++k) {
      const Interval& i = at.intervals[k];
      const double width = (i.high - i.low) / std::max(std::abs(at.constants[k]), 1e-12);
      if (width < 1) continue;
      out.push_back(fmt::format("{} is weakly known: {} to {}", at.names[k], significant(i.low, 3),
                                significant(i.high, 3)));
    }
    for (const Correlation& c : id.correlated) {
      out.push_back(
          fmt::format("{} and {} move together (correlation {:.3f}): draw them together, "
                      "as the law's file does",
                      c.one, c.other, c.value));
    }
  }
  if (fit.form == "multi_power" && stages.blocks < 6) {
    out.push_back(
        fmt::format("intervals rest on {} curve{}: they say little of schedules unlike "
                    "them",
                    stages.blocks, stages.blocks == 1 ? "" : "s"));
  }
  return out;
}

}  // namespace forerun::models
