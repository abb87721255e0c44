#include "models/loss/fit/curve_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "models/loss/fit/enough_runs.h"

namespace forerun::models {
namespace {

constexpr double kLargestCut = 1.0 / 40;

double peak(const Curve& curve) {
  double most = 0;
  for (const Curve::Row& row : curve.rows) most = std::max(most, row.rate);
  return most;
}

}  // namespace

std::vector<ScheduleNode> schedule_nodes(const Curve& curve) {
  std::vector<ScheduleNode> nodes;
  if (curve.rows.empty()) return nodes;
  const double cut = kLargestCut * peak(curve);
  nodes.push_back({curve.rows.front().step, curve.rows.front().rate, 0});
  for (std::size_t i = 1; i < curve.rows.size(); ++i) {
    const Curve::Row &from = curve.rows[i - 1], &to = curve.rows[i];
    const double steps = to.step - from.step;
    const double pieces =
        cut > 0 ? std::clamp(std::ceil(std::abs(to.rate - from.rate) / cut), 1.0, steps) : 1.0;
    for (double piece = 1; piece <= pieces; ++piece) {
      const double step = from.step + std::floor(steps * piece / pieces);
      const double rate = from.rate + (to.rate - from.rate) * (step - from.step) / steps;
      const ScheduleNode& last = nodes.back();
      const double n = step - last.step;
      // The sum of n rates that rise evenly from the one after last.rate to `rate`.
      const double area = last.area + n * last.rate + 0.5 * (rate - last.rate) * (n + 1);
      nodes.push_back({step, rate, area});
    }
  }
  return nodes;
}

std::vector<std::size_t> row_nodes(const Curve& curve, const std::vector<ScheduleNode>& nodes) {
  std::vector<std::size_t> out;
  std::size_t n = 0;
  for (const Curve::Row& row : curve.rows) {
    while (nodes[n].step < row.step) ++n;
    out.push_back(n);
  }
  return out;
}

Stage curve_stage(const std::vector<Curve>& curves, Problems& problems) {
  Stage stage;
  stage.what = "the curves";
  std::vector<CurveInput> inputs;
  std::vector<Term> terms;
  std::vector<double> rates;
  for (std::size_t c = 0; c < curves.size(); ++c) {
    const Curve& curve = curves[c];
    CurveInput input{schedule_nodes(curve), {}};
    const std::vector<std::size_t> nodes = row_nodes(curve, input.nodes);
    std::vector<std::size_t> measured;
    for (std::size_t i = 0; i < curve.rows.size(); ++i) {
      if (curve.rows[i].loss) measured.push_back(i);
    }
    const std::size_t count = std::min(measured.size(), kMostCurveTerms);
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t row =
          measured[count == 1 ? measured.size() - 1 : k * (measured.size() - 1) / (count - 1)];
      input.ends.push_back(nodes[row] + 1);
      terms.push_back({std::log(*curve.rows[row].loss), 1, c});
      stage.terms.push_back(fmt::format("{}, step {:g}", curve.name, curve.rows[row].step));
      rates.push_back(curve.rows[row].rate);
    }
    stage.blocks.push_back(c);
    inputs.push_back(std::move(input));
  }
  check_count(stage.what, terms.size(), 7, problems);
  check_distinct(stage.what, "learning rate", rates, 2,
                 "because a rate that never falls shows nothing of what its fall gives", problems);
  stage.model = [inputs = std::move(inputs), terms = std::move(terms)](const ConstantValues&) {
    return multi_power_model(inputs, terms);
  };
  return stage;
}

}  // namespace forerun::models
