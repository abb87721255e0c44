#include "models/loss/fit/minimise.h"

#include <ceres/ceres.h>
#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/random.h"

namespace forerun::models {
namespace {

double weight_of(const Term& term, std::span<const double> weights) {
  return term.weight * (weights.empty() ? 1.0 : weights[term.block]);
}

double huber(double r, double delta) {
  const double far = std::abs(r);
  return far <= delta ? 0.5 * r * r : delta * (far - 0.5 * delta);
}

/// All terms at once, each made a residual whose half square is its Huber loss.
class HuberResiduals final : public ceres::CostFunction {
 public:
  HuberResiduals(const Model& model, std::span<const double> weights, double delta)
      : model_(model), weights_(weights), delta_(delta) {
    set_num_residuals(static_cast<int>(model.terms().size()));
    mutable_parameter_block_sizes()->push_back(static_cast<int>(model.unknowns().size()));
  }
  bool Evaluate(double const* const* parameters, double* out, double** jacobians) const override {
    const auto unknowns = model_.unknowns();
    const std::size_t width = unknowns.size();
    std::vector<double> constants(width);
    for (std::size_t k = 0; k < width; ++k) {
      constants[k] = constant(unknowns[k], parameters[0][k]);
    }
    const bool slopes = jacobians != nullptr && jacobians[0] != nullptr;
    const Residuals r = residuals(model_, constants, slopes);
    for (std::size_t i = 0; i < r.values.size(); ++i) {
      const double root = std::sqrt(weight_of(model_.terms()[i], weights_));
      const double far = std::abs(r.values[i]);
      const double value = std::sqrt(2 * huber(far, delta_));
      out[i] = root * std::copysign(value, r.values[i]);
      if (!std::isfinite(out[i])) return false;
      if (!slopes) continue;
      // The residual falls where the prediction rises.
      const double slope = -root * (far <= delta_ ? 1.0 : delta_ / value);
      for (std::size_t k = 0; k < width; ++k) {
        jacobians[0][i * width + k] = slope * r.jacobian[i * width + k];
        if (!std::isfinite(jacobians[0][i * width + k])) return false;
      }
    }
    return true;
  }

 private:
  const Model& model_;
  std::span<const double> weights_;
  double delta_;
};

/// Residuals as small as this are none: starts that leave no more agree.
constexpr double kExact = 1e-6;

/// Sets the linear constants by least squares of relative errors, held in their bounds.
void solve_linear(const Model& model, std::vector<double>& constants) {
  const auto unknowns = model.unknowns();
  const std::size_t width = unknowns.size();
  std::vector<std::size_t> free;
  for (std::size_t k = 0; k < width; ++k) {
    if (unknowns[k].linear) free.push_back(k);
  }
  const std::vector<Term>& terms = model.terms();
  std::vector<double> y(terms.size()), gradients;
  model.predict(constants, y, &gradients);
  // What is held joins the offset; each round holds those that left their bounds.
  while (!free.empty()) {
    const auto rows = static_cast<Eigen::Index>(terms.size());
    const auto columns = static_cast<Eigen::Index>(free.size());
    Eigen::MatrixXd a(rows, columns);
    Eigen::VectorXd b(rows);
    for (std::size_t i = 0; i < terms.size(); ++i) {
      const double log_ten = terms[i].log_loss / std::numbers::ln10;
      const double measured = model.decimal_logarithm() ? log_ten : std::exp(terms[i].log_loss);
      const double scale =
          std::sqrt(terms[i].weight) / (model.decimal_logarithm() ? 1.0 : measured);
      double rest = y[i];
      for (std::size_t j = 0; j < free.size(); ++j) {
        const double feature = gradients[i * width + free[j]];
        rest -= feature * constants[free[j]];
        a(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = scale * feature;
      }
      b(static_cast<Eigen::Index>(i)) = scale * (measured - rest);
    }
    // Columns of one length: they differ by many decades.
    Eigen::VectorXd norms = a.colwise().norm().cwiseMax(1e-300);
    for (Eigen::Index j = 0; j < columns; ++j) a.col(j) /= norms(j);
    const Eigen::VectorXd x = a.colPivHouseholderQr().solve(b);
    std::vector<std::size_t> left;
    for (std::size_t j = 0; j < free.size(); ++j) {
      const auto at = static_cast<Eigen::Index>(j);
      const double value = x(at) / norms(at);
      const Unknown& u = unknowns[free[j]];
      const double held = std::clamp(value, u.least, u.most);
      if (held == value) {
        left.push_back(free[j]);
        continue;
      }
      for (std::size_t i = 0; i < terms.size(); ++i) {
        y[i] += gradients[i * width + free[j]] * (held - constants[free[j]]);
      }
      constants[free[j]] = held;
    }
    if (left.size() == free.size()) {
      for (std::size_t j = 0; j < free.size(); ++j) {
        const auto at = static_cast<Eigen::Index>(j);
        constants[free[j]] = x(at) / norms(at);
      }
      return;
    }
    free = std::move(left);
  }
}

}  // namespace

double huber_cost(const Model& model, std::span<const double> constants,
                  std::span<const double> weights, double delta) {
  const Residuals r = residuals(model, constants, false);
  double sum = 0;
  for (std::size_t i = 0; i < r.values.size(); ++i) {
    sum += weight_of(model.terms()[i], weights) * huber(r.values[i], delta);
  }
  return sum;
}

Minimum minimise_from(const Model& model, std::vector<double> start,
                      std::span<const double> weights, double delta, int iterations) {
  const auto unknowns = model.unknowns();
  std::vector<double> x(unknowns.size());
  for (std::size_t k = 0; k < x.size(); ++k) x[k] = variable(unknowns[k], start[k]);
  HuberResiduals cost(model, weights, delta);
  ceres::Problem::Options owning;
  owning.cost_function_ownership = ceres::DO_NOT_TAKE_OWNERSHIP;
  ceres::Problem problem(owning);
  problem.AddResidualBlock(&cost, nullptr, x.data());
  for (std::size_t k = 0; k < x.size(); ++k) {
    const int at = static_cast<int>(k);
    problem.SetParameterLowerBound(x.data(), at, variable(unknowns[k], unknowns[k].least));
    problem.SetParameterUpperBound(x.data(), at, variable(unknowns[k], unknowns[k].most));
  }
  ceres::Solver::Options options;
  options.linear_solver_type = ceres::DENSE_QR;
  options.max_num_iterations = iterations;
  options.function_tolerance = 1e-9;
  options.parameter_tolerance = 1e-9;
  options.gradient_tolerance = 1e-14;
  options.num_threads = 1;
  options.logging_type = ceres::SILENT;
  ceres::Solver::Summary summary;
  ceres::Solve(options, &problem, &summary);
  Minimum out;
  for (std::size_t k = 0; k < x.size(); ++k) out.constants.push_back(constant(unknowns[k], x[k]));
  out.cost = huber_cost(model, out.constants, weights, delta);
  out.converged = summary.termination_type == ceres::CONVERGENCE;
  return out;
}

Found minimise_many(const Model& model, double delta, const Search& search) {
  const auto unknowns = model.unknowns();
  std::vector<std::pair<double, std::vector<double>>> starts;
  for (int s = 0; s < search.screened; ++s) {
    std::vector<double> c(unknowns.size());
    for (std::size_t k = 0; k < c.size(); ++k) {
      const Unknown& u = unknowns[k];
      const Stream stream(search.seed, fmt::format("fit/start/{}", u.name));
      const double low = variable(u, u.from), high = variable(u, u.to);
      const double share = stream.uniform(static_cast<std::uint64_t>(s));
      c[k] = constant(u, low + (high - low) * share);
    }
    solve_linear(model, c);
    starts.emplace_back(huber_cost(model, c, {}, delta), std::move(c));
  }
  std::ranges::sort(starts);
  Found found;
  found.best.cost = 1e300;
  std::vector<double> costs;
  for (const auto& start : starts) {
    if (static_cast<int>(costs.size()) == search.tried) break;
    Minimum m = minimise_from(model, start.second, {}, delta);
    costs.push_back(m.cost);
    if (m.cost < found.best.cost) found.best = std::move(m);
  }
  FORERUN_ASSERT(found.best.cost < 1e300, "no start gives a cost: a weight or a loss is no number");
  double exact = 0;
  for (const Term& t : model.terms()) exact += t.weight * huber(kExact, delta);
  const double near = std::max(found.best.cost * 1.001, exact);
  const auto agreeing = std::ranges::count_if(costs, [&](double c) { return c <= near; });
  found.agreeing = static_cast<double>(agreeing) / static_cast<double>(costs.size());
  return found;
}

}  // namespace forerun::models
