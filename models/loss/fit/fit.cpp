#include "models/loss/fit/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "core/random.h"

namespace forerun::models {
namespace {

double root_mean(const std::vector<double>& values, std::span<const double> weights, double spare) {
  double sum = 0, all = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += weights[i] * values[i] * values[i];
    all += weights[i];
  }
  return std::sqrt(sum / all * static_cast<double>(values.size()) / std::max(spare, 1.0));
}

double spare(const StageFit& s) {
  return static_cast<double>(s.residuals.size()) - static_cast<double>(s.constants.size());
}

void add_values(const StageFit& stage, const std::vector<double>& constants,
                ConstantValues& values) {
  for (std::size_t k = 0; k < constants.size(); ++k) values[stage.names[k]] = constants[k];
}

StageFit fit_stage(const Stage& stage, const ConstantValues& before, const FitOptions& o) {
  const auto model = stage.model(before);
  Search search = o.search;
  search.seed = o.seed;
  const Found found = minimise_many(*model, o.delta, search);
  StageFit out;
  out.what = stage.what;
  out.unknowns.assign(model->unknowns().begin(), model->unknowns().end());
  for (const Unknown& u : out.unknowns) out.names.push_back(stage.prefix + std::string(u.name));
  out.constants = found.best.constants;
  out.residuals = residuals(*model, out.constants, false).values;
  for (const Term& t : model->terms()) out.measured.push_back(std::exp(t.log_loss));
  out.agreeing = found.agreeing;
  out.converged = found.best.converged;
  out.scatter = root_mean(out.residuals, std::vector<double>(out.residuals.size(), 1), spare(out));
  return out;
}

/// One draw of all constants, and of the scatter at the end.
class Drawing {
 public:
  Drawing(const Stages& stages, const Fit& fit, const FitOptions& options)
      : stages_(stages), fit_(fit), options_(options) {}

  std::vector<double> row(std::int64_t draw) const {
    std::vector<double> weights(stages_.blocks);
    const Stream stream(options_.seed, fmt::format("fit/bootstrap/{}", draw));
    for (std::size_t b = 0; b < weights.size(); ++b) weights[b] = stream.exponential(b);
    std::vector<double> out;
    ConstantValues values;
    double squares = 0, spares = 0;
    for (std::size_t s = 0; s < fit_.stages.size(); ++s) {
      const StageFit& at = fit_.stages[s];
      const auto model = stages_.stages[s].model(values);
      const Minimum m = minimise_from(*model, at.constants, weights, options_.delta, 100);
      const std::vector<double> drawn = spread(at, m.constants);
      add_values(at, drawn, values);
      out.insert(out.end(), drawn.begin(), drawn.end());
      std::vector<double> of_terms;
      for (const Term& t : model->terms()) of_terms.push_back(weights[t.block]);
      const double scatter = root_mean(at.residuals, of_terms, spare(at));
      squares += scatter * scatter * spare(at);
      spares += spare(at);
    }
    out.push_back(std::sqrt(squares / spares));
    return out;
  }

 private:
  static std::vector<double> spread(const StageFit& at, std::vector<double> drawn) {
    const double factor = std::sqrt(static_cast<double>(at.residuals.size()) / spare(at));
    for (std::size_t k = 0; k < drawn.size(); ++k) {
      const double middle = variable(at.unknowns[k], at.constants[k]);
      const double off = variable(at.unknowns[k], drawn[k]) - middle;
      drawn[k] = constant(at.unknowns[k], middle + factor * off);
    }
    return drawn;
  }

  const Stages& stages_;
  const Fit& fit_;
  const FitOptions& options_;
};

}  // namespace

Fit fit_stages(const Stages& stages, const FitOptions& options) {
  Fit fit;
  fit.form = options.form;
  double squares = 0, spares = 0;
  for (const Stage& stage : stages.stages) {
    fit.stages.push_back(fit_stage(stage, fit.values, options));
    const StageFit& at = fit.stages.back();
    add_values(at, at.constants, fit.values);
    fit.names.insert(fit.names.end(), at.names.begin(), at.names.end());
    squares += at.scatter * at.scatter * spare(at);
    spares += spare(at);
  }
  fit.scatter = std::sqrt(squares / spares);

  fit.draws.resize(static_cast<std::size_t>(options.bootstrap));
  const Drawing drawing(stages, fit, options);
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < fit.draws.size(); i = next++) {
      fit.draws[i] = drawing.row(static_cast<std::int64_t>(i));
    }
  };
  std::vector<std::thread> helpers;
  for (int t = 1; t < options.threads; ++t) helpers.emplace_back(work);
  work();
  for (std::thread& t : helpers) t.join();

  if (fit.draws.empty()) return fit;
  std::size_t column = 0;
  const auto middle = [&] {
    std::vector<double> values;
    for (const auto& row : fit.draws) values.push_back(row[column]);
    ++column;
    return Interval{quantile(values, 0.05), quantile(values, 0.95)};
  };
  for (StageFit& stage : fit.stages) {
    for (std::size_t k = 0; k < stage.constants.size(); ++k) stage.intervals.push_back(middle());
  }
  fit.scatter_interval = middle();
  for (auto& row : fit.draws) row.pop_back();
  return fit;
}

}  // namespace forerun::models
