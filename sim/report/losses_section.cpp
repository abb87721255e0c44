// Where the loss of each modality goes along the run, and whether the run survives.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/line_chart.h"
#include "core/table.h"
#include "sim/report/page.h"
#include "sim/report/sections.h"
#include "sim/report/words.h"

namespace forerun::sim::report {
namespace {

constexpr double kWide = 860, kNarrow = 400, kHigh = 330;
constexpr std::size_t kMeanColour = 6;
/// What one picture can show with colours of its own; kMeanColour and the idle are not among them.
constexpr std::size_t kModalityColours[] = {0, 1, 2, 3, 4, 5, 10, 9, 8, 11};

std::size_t colour_of(std::size_t modality) {
  return kModalityColours[modality % std::size(kModalityColours)];
}

/// Curves from a fiftieth of the run on: before, the fall from a fresh model hides the rest.
ChartPanel panel_of(const models::MixtureAnswer& m) {
  const models::RunCourse& c = m.course;
  const auto from =
      static_cast<std::size_t>(std::ranges::lower_bound(c.step, 0.02 * c.steps) - c.step.begin());
  const auto cut = [&](const std::vector<double>& v) {
    return std::vector<double>(v.begin() + static_cast<std::ptrdiff_t>(from), v.end());
  };
  const auto edge = [&](std::size_t i, double models::Band::* side) {
    std::vector<double> out;
    for (std::size_t k = from; k < c.step.size(); ++k) out.push_back(m.bands[i][k].*side);
    return out;
  };
  ChartPanel p;
  p.title = "losses";
  p.x_label = "tokens trained";
  p.y_label = "nats a token";
  const std::vector<double> x = cut(c.tokens);
  for (std::size_t i = 0; i < m.modalities.size(); ++i) {
    if (m.modalities[i].share <= 0) continue;
    p.curves.push_back({m.modalities[i].name, x, cut(m.ascent.gated.loss[i]),
                        edge(i, &models::Band::low), edge(i, &models::Band::high), false,
                        colour_of(i)});
  }
  if (m.modalities.size() > 1) {
    p.curves.push_back({"mean over tokens", x, cut(m.smooth.mean), {}, {}, true, kMeanColour});
  }
  return p;
}

Markup ends_table(const models::MixtureAnswer& m) {
  using Align = HtmlTable::Align;
  const bool several = m.modalities.size() > 1;
  std::vector<std::pair<Markup, Align>> columns = {{"modality", Align::left},
                                                   {"share", Align::right},
                                                   {"tokens", Align::right},
                                                   {"ends at, nats", Align::right},
                                                   {"8 of 10", Align::right}};
  if (several) columns.emplace_back("the others add", Align::right);
  HtmlTable table(columns);
  for (std::size_t i = 0; i < m.modalities.size(); ++i) {
    const models::ModalityAnswer& one = m.modalities[i];
    if (one.share <= 0) continue;
    std::vector<Markup> cells = {swatch(colour_of(i)) + one.name, show_percent(one.share),
                                 show_count(one.tokens), fmt::format("{:.3f}", one.end.loss),
                                 fmt::format("{:.2f} to {:.2f}", one.band.low, one.band.high)};
    if (several) cells.emplace_back(fmt::format("{:+.3f}", one.end.interaction));
    table.row(cells);
  }
  if (several) {
    table.last_row({dashed_swatch(kMeanColour) + "mean over tokens", "100 %", "",
                    fmt::format("{:.3f}", m.mean),
                    fmt::format("{:.2f} to {:.2f}", m.mean_band.low, m.mean_band.high), ""});
  }
  return table.markup();
}

Markup gains_table(const RunLoss& r) {
  using Align = HtmlTable::Align;
  HtmlTable table({{"modality", Align::left},
                   {"of the dense model's steps", Align::right},
                   {"8 of 10", Align::right}});
  for (const RunLoss::Gain& g : r.gains) {
    table.row({g.modality, show_percent(g.training), percent_range(g.band.low, g.band.high)});
  }
  return table.markup(
      "When each modality has the loss that the dense model of equal FLOPs ends with");
}

}  // namespace

Markup losses_section(const Scenario& s, const Answer& a) {
  if (!a.loss) return {};
  const RunLoss& r = *a.loss;
  Markup out;
  for (const std::string& u : r.unanswered) out += note(Markup("Not answered: ") + u);
  if (r.losses) {
    const models::MixtureAnswer& m = *r.losses;
    const ChartPanel panel = panel_of(m);
    const std::string told = fmt::format(
        "Predicted loss against tokens trained, with the range of 8 in 10 draws of the law's "
        "constants; law {} ({}).",
        r.law->name, name(m.evidence));
    Markup pictures = element("div", "class=\"broad\"",
                              Markup::raw(line_chart_in_page(
                                  panel, kWide, kHigh, {"loss-wide", "Loss by modality", told})));
    pictures += element("div", "class=\"narrow\"",
                        Markup::raw(line_chart_in_page(panel, kNarrow, kHigh,
                                                       {"loss-narrow", "Loss by modality", told})));
    out += figure(pictures.text(), told);
    out += ends_table(m);
  }
  if (!r.gains.empty()) out += gains_table(r);
  if (out.empty()) return {};
  return card("losses", s.mixture ? "Where the losses go" : "Where the loss goes", out);
}

Markup stability_section(const Answer& a) {
  if (!a.loss || !a.loss->stability) return {};
  const stability::StabilityReport& s = *a.loss->stability;
  using Align = HtmlTable::Align;
  HtmlTable table({{"what would fail", Align::left},
                   {"probability", Align::right},
                   {"8 of 10", Align::right},
                   {"strongest remedy", Align::left},
                   {"with it", Align::right}});
  for (const stability::Finding& f : s.findings) {
    const bool remedy = !f.remedies.empty();
    table.row({stability::name(f.failure), show_percent(f.probability),
               percent_range(f.band.low, f.band.high),
               remedy ? f.remedies.front().what : std::string("none needed"),
               remedy ? show_percent(f.remedies.front().probability) : std::string()});
  }
  std::string spikes =
      fmt::format("Loss spikes expected in the run: {} ({} to {})", times_text(s.expected.loss),
                  times_text(s.loss_spikes.low), times_text(s.loss_spikes.high));
  if (a.loss->rolled_back) {
    spikes += fmt::format("; {} steps done again after rollbacks in the median run",
                          show_count(std::round(a.loss->rolled_back->steps_median)));
  }
  return card("stability", "Whether it survives",
              table.markup() + note(spikes + ". Orders of magnitude: most of these constants are "
                                             "assumed."));
}

}  // namespace forerun::sim::report
