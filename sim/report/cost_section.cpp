#include <fmt/format.h>

#include "core/bar_chart.h"
#include "core/table.h"
#include "sim/report/page.h"
#include "sim/report/sections.h"
#include "sim/report/words.h"

namespace forerun::sim::report {
namespace {

constexpr double kHalf = 430;  // width of a picture in half a page
/// Colours of items in their order, told apart from their neighbours.
constexpr std::size_t kItemColours[] = {0, 4, 2, 1, 3, 5, 10, 9, 8, 11};

}  // namespace

Markup cost_section(const Answer& a) {
  if (!a.cost) return {};
  const CostForecast& c = *a.cost;
  using Align = HtmlTable::Align;
  HtmlTable table({{"", Align::left},
                   {"mean", Align::right},
                   {"8 of 10 runs", Align::right},
                   {"evidence", Align::left}});
  std::vector<BarPart> bar;
  std::vector<Markup> sources;
  for (std::size_t i = 0; i < c.items.size(); ++i) {
    const CostForecast::Item& item = c.items[i];
    const std::size_t colour = kItemColours[i % std::size(kItemColours)];
    const Dollars mean(item.usd.mean);
    if (item.usd.mean > 0) bar.push_back({item.name, show(mean), item.usd.mean, colour});
    table.row({swatch(colour) + item.name, show(mean),
               range_text(Dollars(item.usd.p10), Dollars(item.usd.p90)), name(item.evidence)});
    if (!item.source.empty()) sources.push_back(Markup(item.name + ": ") + item.source);
  }
  Markup out;
  if (!c.items.empty()) {
    const Spread& all = c.total_usd;
    const std::string range = range_text(Dollars(all.p10), Dollars(all.p90));
    table.last_row({"all", show(Dollars(all.mean)), range, name(c.evidence)});
    const std::string told =
        fmt::format("{} in the median run, {} in 8 of 10.", show(Dollars(all.p50)), range);
    out += paragraph(told);
    if (!bar.empty()) {
      out += figure(stacked_bar_svg(
          bar, {kHalf, kInPage, {"cost-chart", "What the money is spent on", told}}));
    }
    out += table.markup();
  }
  std::string energy =
      fmt::format("{} of electricity at the meter ({} to {})", energy_text(c.energy_kwh.p50),
                  energy_text(c.energy_kwh.p10), energy_text(c.energy_kwh.p90));
  if (c.carbon_kg) {
    energy += fmt::format(", {} of CO2 ({} to {})", mass_text(c.carbon_kg->p50),
                          mass_text(c.carbon_kg->p10), mass_text(c.carbon_kg->p90));
  }
  out += note(energy + ".");
  if (!sources.empty()) out += details("Where the prices come from", list(sources));
  return card("cost", "What it costs", out);
}

}  // namespace forerun::sim::report
