#include "cli/fit_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/report.h"
#include "core/scatter_plot.h"
#include "core/table.h"

namespace forerun::cli {
namespace {

using Align = Table::Align;
using models::Fit;
using models::NextRun;
using models::StageFit;

struct Misses {
  double rms = 0, mean = 0, worst = 0;
};
/// Of log loss, so as shares of the loss.
Misses misses(const StageFit& stage) {
  Misses m;
  for (const double r : stage.residuals) {
    m.rms += r * r;
    m.mean += std::abs(r);
    m.worst = std::max(m.worst, std::abs(r));
  }
  const auto n = static_cast<double>(stage.residuals.size());
  m.rms = std::sqrt(m.rms / n);
  m.mean /= n;
  return m;
}

std::string interval_text(const Interval& i) {
  return fmt::format("{} .. {}", significant(i.low, 4), significant(i.high, 4));
}

std::string constants_text(const Fit& fit) {
  Table table(
      {{"constant", Align::left}, {"value", Align::right}, {"90 % interval", Align::right}});
  for (const StageFit& s : fit.stages) {
    for (std::size_t k = 0; k < s.constants.size(); ++k) {
      table.row({s.names[k], significant(s.constants[k], 5),
                 s.intervals.empty() ? "-" : interval_text(s.intervals[k])});
    }
  }
  table.row({"scatter", show_percent(fit.scatter, 2),
             fit.draws.empty() ? "-"
                               : fmt::format("{} .. {}", show_percent(fit.scatter_interval.low, 2),
                                             show_percent(fit.scatter_interval.high, 2))});
  return table.text();
}

std::string residuals_text(const Fit& fit) {
  Table table({{"residuals", Align::left},
               {"losses", Align::right},
               {"rms", Align::right},
               {"mean", Align::right},
               {"worst", Align::right},
               {"starts that agree", Align::right}});
  for (const StageFit& s : fit.stages) {
    const Misses m = misses(s);
    table.row({s.what, show_count(static_cast<double>(s.residuals.size())), show_percent(m.rms, 2),
               show_percent(m.mean, 2), show_percent(m.worst, 2), show_percent(s.agreeing, 0)});
  }
  return table.text();
}

bool tells_experts(const FitAnswer& a) {
  return std::ranges::any_of(a.next, [](const NextRun& n) { return n.point.experts != 1; });
}

std::string next_text(const FitAnswer& a) {
  if (a.next.empty()) return {};
  const StageFit& stage = a.fit.stages[a.weakest_stage];
  const models::Weakest w = models::weakest_constant(stage);
  std::string out =
      fmt::format("Weakest: {}, {}. One more run of at most {} FLOPs that would narrow it most:\n",
                  stage.names[w.constant], interval_text(stage.intervals[w.constant]),
                  fmt::format("{:.3g}", a.budget));
  const bool experts = tells_experts(a);
  std::vector<std::pair<std::string, Align>> columns = {{"parameters", Align::right},
                                                        {"tokens", Align::right}};
  if (experts) columns.emplace_back("experts", Align::right);
  for (const char* c : {"FLOPs", "its interval then", "by", "all constants' region"}) {
    columns.emplace_back(c, Align::right);
  }
  Table table(columns);
  for (const NextRun& n : a.next) {
    std::vector<std::string> row = {show_count(n.point.parameters), show_count(n.point.tokens)};
    if (experts) row.push_back(show_count(n.point.experts));
    row.push_back(fmt::format("{:.3g}", n.flops));
    row.push_back(interval_text(n.weakest));
    row.push_back(fmt::format("-{}", show_percent(1 - n.narrower, 0)));
    row.push_back(fmt::format("-{}", show_percent(1 - n.all_share, 0)));
    table.row(row);
  }
  return out + table.text();
}

void write_interval(JsonWriter& json, const Interval& i) {
  json.key("interval_90").begin_array().value(i.low).value(i.high).end_array();
}

}  // namespace

std::string fit_text(const FitAnswer& a) {
  std::string out = fmt::format("{} law: {}\n  from {}\n\n", a.fit.form,
                                models::law_form(a.fit.form).equation, fmt::join(a.sources, ", "));
  out += constants_text(a.fit) + "\n" + residuals_text(a.fit);
  if (!a.warnings.empty()) out += "\n";
  for (const std::string& w : a.warnings) out += wrapped("! " + w, 2) + "\n";
  const std::string next = next_text(a);
  if (!next.empty()) out += "\n" + next;
  return out + fmt::format("\n  {} written, forerun {}\n", a.output, FORERUN_VERSION);
}

void write_fit(JsonWriter& json, const FitAnswer& a) {
  json.begin_object().key("form").value(a.fit.form).key("output").value(a.output);
  json.key("sources").begin_array();
  for (const std::string& s : a.sources) json.value(s);
  json.end_array().key("stages").begin_array();
  for (const StageFit& s : a.fit.stages) {
    const Misses m = misses(s);
    json.begin_object().key("what").value(s.what);
    json.key("losses").value(static_cast<std::int64_t>(s.residuals.size()));
    json.key("rms").value(m.rms).key("mean").value(m.mean).key("worst").value(m.worst);
    json.key("agreeing").value(s.agreeing).key("constants").begin_object();
    for (std::size_t k = 0; k < s.constants.size(); ++k) {
      json.key(s.names[k]).begin_object().key("value").value(s.constants[k]);
      if (!s.intervals.empty()) write_interval(json, s.intervals[k]);
      json.end_object();
    }
    json.end_object().end_object();
  }
  json.end_array().key("scatter").value(a.fit.scatter);
  json.key("warnings").begin_array();
  for (const std::string& w : a.warnings) json.value(w);
  json.end_array().key("next_runs").begin_array();
  for (const NextRun& n : a.next) {
    json.begin_object().key("parameters").value(n.point.parameters);
    json.key("tokens").value(n.point.tokens).key("experts").value(n.point.experts);
    json.key("flops").value(n.flops).key("narrower").value(n.narrower);
    json.key("all_share").value(n.all_share);
    write_interval(json, n.weakest);
    json.end_object();
  }
  json.end_array();
  if (!a.next.empty()) {
    const StageFit& stage = a.fit.stages[a.weakest_stage];
    json.key("weakest").value(stage.names[models::weakest_constant(stage).constant]);
  }
  json.key("version").value(FORERUN_VERSION).end_object();
}

std::string residual_csv(const Fit& fit, const models::Stages& stages) {
  std::string out = "stage,run,measured,fitted,residual\n";
  for (std::size_t s = 0; s < fit.stages.size(); ++s) {
    const StageFit& at = fit.stages[s];
    for (std::size_t i = 0; i < at.residuals.size(); ++i) {
      std::string run = stages.stages[s].terms[i];
      std::ranges::replace(run, ',', ';');
      out += fmt::format("{},{},{:.7g},{:.7g},{:.6f}\n", at.what, run, at.measured[i],
                         at.measured[i] * std::exp(-at.residuals[i]), at.residuals[i]);
    }
  }
  return out;
}

std::string residual_svg(const Fit& fit, const std::string& title) {
  ScatterPlot plot;
  plot.title = title;
  plot.subtitle = "each loss beside what the law fitted to all of them gives";
  plot.what = "loss, nats a token";
  plot.band = 0.01;
  plot.show = [](double loss) { return fmt::format("{:.3g}", loss); };
  for (const StageFit& s : fit.stages) {
    ScatterFamily family{
        s.what,
        fmt::format("{} losses, rms {}", s.residuals.size(), show_percent(misses(s).rms, 2)),
        {},
        false};
    for (std::size_t i = 0; i < s.residuals.size(); ++i) {
      family.points.push_back({s.measured[i], s.measured[i] * std::exp(-s.residuals[i]), false});
    }
    plot.families.push_back(std::move(family));
  }
  return scatter_svg(plot);
}

}  // namespace forerun::cli
