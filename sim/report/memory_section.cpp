#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/bar_chart.h"
#include "core/column_chart.h"
#include "core/table.h"
#include "sim/report/page.h"
#include "sim/report/palette.h"
#include "sim/report/sections.h"

namespace forerun::sim::report {
namespace {

constexpr double kHalf = 430;
/// The largest owners have colours of their own, the others share one.
constexpr std::size_t kOwnerColours[] = {0, 4, 2, 1, 3, 5, 10, 9, 8};
constexpr std::size_t kOthersColour = 11, kAllocatorColour = 6;

/// "activations of 16 passes in flight" belong together whatever their number.
std::string kind_of(const std::string& owner) {
  constexpr std::string_view kFlight = "activations of ";
  return owner.starts_with(kFlight) ? "activations in flight" : owner;
}

double gib(Bytes b) { return b.in(1.0_GiB); }

/// What one column is made of: the same parts for all stages, in GiB.
struct Parts {
  std::vector<std::string> names;
  std::vector<std::size_t> colours;
  std::vector<std::vector<double>> by_stage;
};

Parts parts_of(const MemoryResult& m) {
  std::vector<std::map<std::string, double>> held(m.stages.size());
  std::map<std::string, double> all;
  for (std::size_t s = 0; s < m.stages.size(); ++s) {
    for (const MemoryOwner& o : m.stages[s].owners) {
      held[s][kind_of(o.name)] += gib(o.bytes);
      all[kind_of(o.name)] += gib(o.bytes);
    }
  }
  std::vector<std::pair<std::string, double>> order(all.begin(), all.end());
  std::ranges::stable_sort(order, [](const auto& x, const auto& y) { return x.second > y.second; });
  const std::size_t named = std::min(order.size(), std::size(kOwnerColours));
  Parts out;
  for (std::size_t i = 0; i < named; ++i) {
    out.names.push_back(order[i].first);
    out.colours.push_back(kOwnerColours[i]);
  }
  for (const char* rest : {"others", "allocator, context and communicators"}) {
    out.names.emplace_back(rest);
  }
  out.colours.push_back(kOthersColour);
  out.colours.push_back(kAllocatorColour);
  for (std::size_t s = 0; s < m.stages.size(); ++s) {
    std::vector<double>& parts = out.by_stage.emplace_back();
    double others = gib(m.stages[s].peak);
    for (std::size_t i = 0; i < named; ++i) {
      parts.push_back(held[s][order[i].first]);
      others -= parts.back();
    }
    // Below a thousandth it is a rounding.
    parts.push_back(others < 1e-3 ? 0 : others);
    parts.push_back(std::max(0.0, gib(m.stages[s].reserved - m.stages[s].peak)));
  }
  return out;
}

std::string told(const StageMemory& s) {
  return fmt::format("stage {} holds {} of {}, most in the {}", s.stage, show(s.reserved),
                     show(s.capacity), s.moment);
}

/// Every stage a column, its capacity a dashed line.
Markup columns(const MemoryResult& m, const Parts& parts) {
  ColumnChart chart{"pipeline stage", "GiB on each accelerator", parts.colours, {}};
  for (std::size_t s = 0; s < m.stages.size(); ++s) {
    chart.columns.push_back({fmt::format("{}", m.stages[s].stage), told(m.stages[s]),
                             parts.by_stage[s], gib(m.stages[s].capacity)});
  }
  const std::string words = fmt::format(
      "Memory of each pipeline stage at its peak, by owner; the dashed line is what an accelerator "
      "has. Of all, {}.",
      told(m.stages[m.worst]));
  return figure(
      column_chart_svg(chart, {kHalf, kInPage, {"memory-chart", "Memory by stage", words}}), words);
}

/// One stage alone: a bar of all that is there.
Markup bar(const MemoryResult& m, const Parts& parts) {
  const StageMemory& only = m.stages.front();
  std::vector<BarPart> bar;
  for (std::size_t i = 0; i < parts.names.size(); ++i) {
    const double held = parts.by_stage.front()[i];
    bar.push_back({parts.names[i], fmt::format("{:.2f} GiB", held), held, parts.colours[i]});
  }
  const Bytes left = only.capacity - only.reserved;
  bar.push_back({"free", show(left), gib(left), kIdleColour});
  const std::string words = fmt::format(
      "Memory of an accelerator at its peak, by owner, of all that is there: {}.", told(only));
  return figure(stacked_bar_svg(bar, {kHalf, kInPage, {"memory-chart", "Memory", words}}), words);
}

}  // namespace

Markup memory_section(const Answer& a) {
  const MemoryResult& m = a.memory;
  if (m.stages.empty()) return {};
  const StageMemory& worst = m.stages[m.worst];
  const Parts parts = parts_of(m);
  const bool alone = m.stages.size() == 1 && m.fits;
  using Align = HtmlTable::Align;
  const std::string heading =
      m.stages.size() == 1 ? "at its peak"
                           : fmt::format("stage {}, the one with the least left", worst.stage);
  HtmlTable table({{heading, Align::left}, {"GiB", Align::right}});
  for (std::size_t i = 0; i < parts.names.size(); ++i) {
    const double held = parts.by_stage[m.worst][i];
    if (held < 0.005) continue;
    table.row({swatch(parts.colours[i]) + parts.names[i], fmt::format("{:.2f}", held)});
  }
  if (alone) {
    table.row({swatch(kIdleColour) + "free",
               fmt::format("{:.2f}", gib(worst.capacity - worst.reserved))});
  }
  table.last_row({fmt::format("held, of {:.2f} GiB there", gib(worst.capacity)),
                  fmt::format("{:.2f}", gib(worst.reserved))});
  return card("memory", "Memory", (alone ? bar(m, parts) : columns(m, parts)) + table.markup());
}

}  // namespace forerun::sim::report
