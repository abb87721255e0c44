#include "cli/loss_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/report.h"
#include "core/line_chart.h"
#include "core/table.h"
#include "models/flops.h"
#include "sim/layout.h"
#include "sim/list_price.h"
#include "sim/memory.h"
#include "sim/step.h"

namespace forerun::cli {
namespace {

using Align = Table::Align;
using models::Band;

std::string nats(double v) { return fmt::format("{:.3f}", v); }
std::string range(const Band& b) { return fmt::format("{:.2f} to {:.2f}", b.low, b.high); }
std::string amount(double v) { return fmt::format("{:.3g}B", v / 1e9); }

std::string modality_table(const models::MixtureAnswer& a) {
  const bool several = a.modalities.size() > 1;
  std::vector<std::pair<std::string, Align>> columns = {
      {"modality", Align::left}, {"share", Align::right},   {"tokens", Align::right},
      {"passes", Align::right},  {"ends at", Align::right}, {"80 % band", Align::right}};
  if (several) {
    for (const char* name : {"others add", "stands still", "longest"}) {
      columns.emplace_back(name, Align::right);
    }
  }
  Table table(columns);
  for (const models::ModalityAnswer& m : a.modalities) {
    std::vector<std::string> row = {m.name,
                                    show_percent(m.share),
                                    amount(m.tokens),
                                    m.passes > 0 ? fmt::format("{:.2f}", m.passes) : "",
                                    m.share > 0 ? nats(m.end.loss) : "",
                                    m.share > 0 ? range(m.band) : ""};
    if (several) {
      row.push_back(fmt::format("{:+.3f}", m.end.interaction));
      row.push_back(show_percent(m.flat_share, 0));
      row.push_back(m.longest_plateau > 0 ? show_count(std::round(m.longest_plateau)) + " steps"
                                          : "");
    }
    table.row(std::move(row));
  }
  if (several) {
    std::vector<std::string> row = {"mean", "", "", "", nats(a.mean), range(a.mean_band)};
    row.resize(columns.size());
    table.row(std::move(row));
  }
  return table.text();
}

std::string pair_text(const models::MixtureAnswer& a, const models::PairAnswer& p) {
  const std::string names =
      models::pair_name(a.modalities[p.first].name, a.modalities[p.second].name);
  std::string out =
      fmt::format("{}: {} of {} nats ({:+.3f} to {:+.3f}); synergy in {} of draws", names,
                  p.interaction < 0 ? "synergy" : "competition", nats(std::abs(p.interaction)),
                  p.band.low, p.band.high, show_percent(p.synergy_probability, 0));
  if (p.barrier_parameters) {
    out += fmt::format("; at these tokens the barrier is at {} parameters",
                       amount(*p.barrier_parameters));
  } else {
    out += "; at these tokens no number of parameters passes the barrier";
  }
  if (p.cheapest) {
    out +=
        fmt::format("; cheapest on the barrier: {} parameters ({} to {}) on {} tokens ({} to {})",
                    amount(p.cheapest->parameters), amount(p.cheapest_parameters.low),
                    amount(p.cheapest_parameters.high), amount(p.cheapest->tokens),
                    amount(p.cheapest_tokens.low), amount(p.cheapest_tokens.high));
  }
  return out;
}

/// Knots from a fiftieth of the run on: before, the fall from a fresh model hides the rest.
std::size_t first_drawn(const models::RunCourse& c) {
  const auto it = std::ranges::lower_bound(c.step, 0.02 * c.steps);
  return static_cast<std::size_t>(it - c.step.begin());
}

}  // namespace

StepTimes step_times(const sim::Scenario& s) {
  StepTimes out;
  const auto time_of = [](const sim::Scenario& one) -> std::optional<Seconds> {
    const sim::MemoryResult m = sim::step_memory(one, sim::make_layout(one), sim::Remedies::skip);
    if (!m.fits) return std::nullopt;
    return sim::simulate_step(one).time;
  };
  out.own = time_of(s);
  out.twin = sim::dense_twin(s);
  if (out.twin) out.dense = time_of(*out.twin);
  return out;
}

std::string losses_text(const sim::Scenario& s, const sim::RunLoss& r) {
  if (!r.losses) return {};
  const models::MixtureAnswer& a = *r.losses;
  std::string out =
      fmt::format("losses at the end of {} tokens in {} steps, nats a token, law {} ({})\n",
                  amount(s.training_tokens), show_count(std::ceil(a.course.steps)), r.law->name,
                  forerun::name(a.evidence));
  out += modality_table(a);
  for (const models::PairAnswer& p : a.pairs) out += wrapped(pair_text(a, p), 2);
  return out;
}

std::string gains_text(const sim::Scenario& s, const sim::RunLoss& r, const StepTimes& times) {
  if (r.gains.empty()) return {};
  const double batch = sim::tokens_per_step(s);
  const double steps = models::steps_for(s.recipe, s.training_tokens, batch);
  const double flops =
      models::flops_per_token(s.model, s.plan.sequence, models::FlopConvention::megatron_causal);
  const bool priced = times.own && sim::list_price(s, *times.own);
  std::vector<std::pair<std::string, Align>> columns = {
      {"modality", Align::left},       {"of the steps", Align::right}, {"80 % band", Align::right},
      {"on validation", Align::right}, {"steps", Align::right},        {"tokens", Align::right},
      {"FLOPs", Align::right}};
  if (times.own) columns.emplace_back("time", Align::right);
  if (times.own && times.dense) columns.emplace_back("of dense time", Align::right);
  if (priced) columns.emplace_back("list price", Align::right);
  Table table(columns);
  for (const sim::RunLoss::Gain& g : r.gains) {
    const double whole = g.training * s.training_tokens / batch;  // in steps of the full batch
    std::vector<std::string> row = {
        g.modality,
        show_percent(g.training),
        fmt::format("{} to {}", show_percent(g.band.low, 0), show_percent(g.band.high, 0)),
        show_percent(g.validation),
        show_count(std::round(g.training * steps)),
        amount(g.training * s.training_tokens),
        fmt::format("{:.3g}", flops * g.training * s.training_tokens)};
    if (times.own) row.push_back(show(whole * *times.own));
    if (times.own && times.dense) {
      row.push_back(show_percent(g.training * (*times.own / *times.dense)));
    }
    if (priced) row.push_back(show(*sim::list_price(s, whole * *times.own)));
    table.row(std::move(row));
  }
  return "when each modality has the loss that the dense model of equal FLOPs ends with\n" +
         table.text();
}

std::string stability_text(const sim::RunLoss& r) {
  if (!r.stability) return {};
  const stability::StabilityReport& s = *r.stability;
  Table table({{"what would fail", Align::left},
               {"probability", Align::right},
               {"80 % band", Align::right},
               {"at progress", Align::right},
               {"strongest remedy", Align::left},
               {"with it", Align::right}});
  std::string why;
  for (const stability::Finding& f : s.findings) {
    const bool remedy = !f.remedies.empty();
    table.row({std::string(stability::name(f.failure)), show_percent(f.probability),
               fmt::format("{} to {}", show_percent(f.band.low, 0), show_percent(f.band.high, 0)),
               f.probability > 0.005 ? show_percent(f.median_progress, 0) : "",
               remedy ? f.remedies.front().what : "",
               remedy ? show_percent(f.remedies.front().probability) : ""});
    why += wrapped(fmt::format("{}: {}", stability::name(f.failure), f.why), 2);
  }
  std::string out =
      "stability, orders of magnitude (constants mostly assumed)\n" + table.text() + why;
  out += wrapped(
      fmt::format("expected spikes: {:.3g} of the gradient norm ({:.2g} to {:.2g}), {:.3g} in the "
                  "loss ({:.2g} to {:.2g}), {:.2g} that do not heal",
                  s.expected.gradient, s.gradient_spikes.low, s.gradient_spikes.high,
                  s.expected.loss, s.loss_spikes.low, s.loss_spikes.high, s.expected.diverging),
      2);
  if (r.rolled_back) {
    out += wrapped(
        fmt::format("rollbacks: {:.2g} expected, {} steps done again in the median run "
                    "({} to {})",
                    r.rolled_back->count, show_count(r.rolled_back->steps_median),
                    show_count(r.rolled_back->steps.low), show_count(r.rolled_back->steps.high)),
        2);
  }
  return out;
}

std::string signal_text(const sim::Scenario& s, const sim::RunLoss& r) {
  if (!r.signal || r.signal->layers.empty()) return {};
  const stability::SignalPropagation& p = *r.signal;
  const stability::LayerSignal &first = p.layers.front(), &last = p.layers.back();
  std::string out = fmt::format(
      "signal by depth in a new model ({} initialisation{}): variance {:.3g} after the first "
      "layer, "
      "{:.3g} after the last of {} ({:+.3g} a layer); gradients of the first layer's matrices "
      "{:.3g} "
      "times the last's ({:.4f} a layer upwards)",
      name_in(models::kInitialisations, s.recipe.initialisation),
      std::ranges::find(s.recipe.unstated, "initialisation") == s.recipe.unstated.end()
          ? ""
          : ", assumed",
      first.variance, last.variance, p.layers.size(), p.variance_growth(),
      std::sqrt(first.weight_gradient / last.weight_gradient), p.gradient_ratio());
  out = wrapped(out, 0);
  if (p.warnings.empty()) return out;
  if (s.model.qk_norm) {
    return out + wrapped(
                     "note: QK-norm, which bounds the scores of attention, is not in these "
                     "formulas: attention is cut at its largest variance instead",
                     2);
  }
  for (const std::string& w : p.warnings) out += wrapped("warning: " + w, 2);
  return out;
}

std::string loss_remarks(const sim::RunLoss& r) {
  std::string out;
  for (const std::string& u : r.unanswered) out += wrapped("not answered: " + u, 2);
  for (const std::string& n : r.notes) out += wrapped("note: " + n, 2);
  if (!r.losses) return out;
  for (const std::string& w : r.losses->warnings) out += wrapped("warning: " + w, 2);
  for (const std::string& a : r.losses->assumptions) out += wrapped("assumed: " + a, 2);
  if (r.losses->without_spread > 0) {
    out +=
        wrapped(fmt::format("{} of the law's {} constants come without a spread and do not widen "
                            "the bands",
                            r.losses->without_spread, r.law->constants.size()),
                2);
  }
  return out;
}

std::string losses_svg(const sim::Scenario& s, const sim::RunLoss& r) {
  const models::MixtureAnswer& a = *r.losses;
  const models::RunCourse& c = a.course;
  const std::size_t from = first_drawn(c);
  const auto cut = [&](const std::vector<double>& v) {
    return std::vector<double>(v.begin() + static_cast<std::ptrdiff_t>(from), v.end());
  };
  const auto edge = [&](std::size_t i, double Band::* side) {
    std::vector<double> out;
    for (std::size_t k = from; k < c.step.size(); ++k) out.push_back(a.bands[i][k].*side);
    return out;
  };
  std::vector<ChartPanel> panels;
  const std::size_t n = a.modalities.size();
  ChartPanel turns;
  turns.title = fmt::format("{}: ahead of its smooth course (below 0) or behind", s.name);
  turns.x_label = "steps";
  turns.y_label = "nats a token";
  double most = 0.01;
  for (std::size_t i = 0; i < n; ++i) {
    if (a.modalities[i].share <= 0) continue;
    ChartPanel p;
    p.title = fmt::format("{}: {}{}", s.name, a.modalities[i].name,
                          n > 1 ? " (shaded: stands still)" : "");
    p.x_label = "steps";
    p.y_label = "nats a token";
    p.curves.push_back({"this run", cut(c.step), cut(a.ascent.gated.loss[i]), edge(i, &Band::low),
                        edge(i, &Band::high), false, i});
    if (n > 1) {
      p.curves.push_back({"smooth course", cut(c.step), cut(a.smooth.loss[i]), {}, {}, true, 6});
      std::vector<double> ahead;
      for (std::size_t k = from; k < c.step.size(); ++k) {
        ahead.push_back(a.ascent.gated.loss[i][k] - a.smooth.loss[i][k]);
        most = std::max(most, 1.1 * std::abs(ahead.back()));
      }
      turns.curves.push_back({a.modalities[i].name, cut(c.step), ahead, {}, {}, false, i});
    }
    for (const models::Plateau& plateau : a.ascent.plateaus) {
      if (plateau.modality == i) p.spans.push_back({plateau.from, plateau.to, i});
    }
    panels.push_back(std::move(p));
  }
  if (n > 1) {
    ChartPanel p;
    p.title = fmt::format("{}: mean over tokens", s.name);
    p.x_label = "steps";
    p.y_label = "nats a token";
    p.curves.push_back({"mean", cut(c.step), cut(a.smooth.mean), edge(n, &Band::low),
                        edge(n, &Band::high), false, 6});
    turns.least_y = -most;
    turns.most_y = most;
    panels.push_back(std::move(turns));
    panels.push_back(std::move(p));
  }
  return line_chart_svg(panels);
}

}  // namespace forerun::cli
