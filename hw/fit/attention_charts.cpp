#include "hw/fit/attention_charts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "hw/csv.h"
#include "hw/fit/minimise.h"

namespace forerun::hw {

namespace {

const std::vector<std::string> kColumns = {"kernel",  "accelerator", "passes", "head_dim",
                                           "causal",  "seq_len",     "batch",  "heads",
                                           "tflop_s", "source"};
constexpr int kRounds = 60;
constexpr double kFar = 0.15;

Attention attention_of(const ChartPoint& p, Pass pass) {
  Attention a;
  a.pass = pass;
  a.batch = p.batch;
  a.queries = a.keys = p.length;
  a.heads = a.kv_heads = p.heads;
  a.head_dim = p.head_dim;
  a.causal = p.causal;
  return a;
}

/// Operations as the charts count them.
Flops charted_flops(const ChartPoint& p) {
  Attention all = attention_of(p, Pass::forward);
  all.causal = false;
  const double passes = p.passes == ChartPoint::Passes::forward    ? 1
                        : p.passes == ChartPoint::Passes::backward ? 2.5
                                                                   : 3.5;
  return flops(all) * (passes * (p.causal ? 0.5 : 1));
}

FlopRate rate(const ChartPoint& p, const AttentionSurface& surface) {
  Seconds time{};
  if (p.passes != ChartPoint::Passes::backward) {
    time += surface.at(attention_of(p, Pass::forward)).time;
  }
  if (p.passes != ChartPoint::Passes::forward) {
    time += surface.at(attention_of(p, Pass::backward)).time;
  }
  return charted_flops(p) / time;
}

}  // namespace

std::vector<ChartPoint> read_charts(std::string_view text, Problems& problems) {
  const Csv csv = Csv::parse(text, problems);
  std::vector<ChartPoint> points;
  if (csv.columns() != kColumns) {
    problems.add("line 1", fmt::format("expected the columns {}", fmt::join(kColumns, ",")));
    return points;
  }
  for (std::size_t i = 0; i < csv.rows(); ++i) {
    ChartPoint p;
    p.kernel = csv.text(i, 0);
    p.accelerator = csv.text(i, 1);
    const std::string& passes = csv.text(i, 2);
    if (passes == "backward") p.passes = ChartPoint::Passes::backward;
    if (passes == "both") p.passes = ChartPoint::Passes::both;
    if (passes != "forward" && p.passes == ChartPoint::Passes::forward) {
      csv.refuse(i, 2, "expected forward, backward or both", problems);
    }
    p.head_dim = csv.integer(i, 3, 1, problems);
    p.causal = csv.integer(i, 4, 0, problems) != 0;
    p.length = csv.integer(i, 5, 1, problems);
    p.batch = csv.integer(i, 6, 1, problems);
    p.heads = csv.integer(i, 7, 1, problems);
    p.rate = FlopRate(csv.number(i, 8, 1, problems) * 1e12);
    points.push_back(std::move(p));
  }
  return points;
}

AttentionPassFit fit_charted(Pass pass, const std::vector<ChartPoint>& points,
                             const AttentionFit& fit, const AttentionMachine& machine,
                             double causal_like) {
  FORERUN_ASSERT(!points.empty(), "no points to fit to");
  std::set<std::int64_t> sizes;
  std::set<bool> masks;
  for (const ChartPoint& p : points) {
    sizes.insert(p.head_dim);
    masks.insert(p.causal);
  }
  const auto unpack = [&](const std::vector<double>& p) {
    AttentionPassFit constants;
    std::size_t i = 0;
    for (const std::int64_t size : sizes) constants.efficiency[size] = std::exp(p[i++]);
    constants.ramp = std::exp(p[i]);
    constants.causal = std::exp(p[i + 1]);
    constants.quantisation = 0.5;
    constants.start = kKernelStart;
    return constants;
  };
  std::vector<double> first(sizes.size(), std::log(0.5)), step(sizes.size() + 1, 0.2);
  first.push_back(std::log(100.0));
  first.push_back(std::log(causal_like));
  step.push_back(masks.size() == 2 ? 0.05 : 0);
  const auto with = [&](const std::vector<double>& p) {
    AttentionFit all = fit;
    all.passes[pass] = unpack(p);
    if (!all.passes.contains(Pass::forward)) all.passes[Pass::forward] = all.passes[pass];
    if (!all.passes.contains(Pass::backward)) all.passes[Pass::backward] = all.passes[pass];
    return AttentionSurface(std::move(all), machine, true);
  };
  const auto loss = [&](const std::vector<double>& p) {
    const AttentionSurface surface = with(p);
    double sum = 0;
    for (const ChartPoint& point : points) {
      sum += robust(std::log(rate(point, surface) / point.rate), kFar);
    }
    return sum / static_cast<double>(points.size());
  };
  return unpack(minimise(std::move(first), std::move(step), loss, kRounds));
}

double chart_error(const std::vector<ChartPoint>& points, const AttentionFit& fit,
                   const AttentionMachine& machine) {
  const AttentionSurface surface(fit, machine, true);
  std::vector<double> errors;
  for (const ChartPoint& p : points) errors.push_back(std::abs(rate(p, surface) / p.rate - 1));
  std::ranges::sort(errors);
  return errors.empty() ? 0 : errors[errors.size() / 2];
}

}  // namespace forerun::hw
