#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/column_chart.h"
#include "core/table.h"
#include "sim/report/page.h"
#include "sim/report/sections.h"

namespace forerun::sim::report {
namespace {

constexpr double kHalf = 430;
/// The largest owners have colours of their own, the others share one.
constexpr std::size_t kOwnerColours[] = {0, 4, 2, 1, 3, 5, 10, 9, 8};
constexpr std::size_t kOthersColour = 11, kAllocatorColour = 7;

/// "activations of 16 passes in flight" belong together whatever their number.
std::string kind_of(const std::string& owner) {
  constexpr std::string_view kFlight = "activations of ";
  return owner.starts_with(kFlight) ? "activations in flight" : owner;
}

using Owned = std::map<std::string, Bytes>;

Owned owned(const StageMemory& stage) {
  Owned out;
  for (const MemoryOwner& o : stage.owners) out[kind_of(o.name)] += o.bytes;
  return out;
}

double gib(Bytes b) { return b.in(1.0_GiB); }

}  // namespace

Markup memory_section(const Answer& a) {
  const MemoryResult& m = a.memory;
  if (m.stages.empty()) return {};
  const StageMemory& worst = m.stages[m.worst];
  // Owners by how much they hold on all stages; the smallest together.
  Owned all;
  for (const StageMemory& s : m.stages) {
    for (const auto& [name, bytes] : owned(s)) all[name] += bytes;
  }
  std::vector<std::pair<std::string, Bytes>> order(all.begin(), all.end());
  std::ranges::stable_sort(order, [](const auto& x, const auto& y) { return x.second > y.second; });
  const std::size_t named = std::min(order.size(), std::size(kOwnerColours));
  const bool others = order.size() > named;

  ColumnChart chart;
  chart.x_label = "pipeline stage";
  chart.y_label = "GiB on each accelerator";
  for (std::size_t i = 0; i < named; ++i) chart.colours.push_back(kOwnerColours[i]);
  if (others) chart.colours.push_back(kOthersColour);
  chart.colours.push_back(kAllocatorColour);
  using Align = HtmlTable::Align;
  HtmlTable table({{fmt::format("stage {}, the one with the least left", worst.stage), Align::left},
                   {"GiB", Align::right}});
  for (const StageMemory& s : m.stages) {
    const Owned here = owned(s);
    StackedColumn column;
    column.name = fmt::format("{}", s.stage);
    column.told = fmt::format("stage {}: {} held of {}, most in the {}", s.stage, show(s.reserved),
                              show(s.capacity), s.moment);
    column.limit = gib(s.capacity);
    double rest = gib(s.peak);
    for (std::size_t i = 0; i < named; ++i) {
      const auto found = here.find(order[i].first);
      const double held = found == here.end() ? 0 : gib(found->second);
      column.parts.push_back(held);
      rest -= held;
    }
    if (others) column.parts.push_back(std::max(0.0, rest));
    column.parts.push_back(std::max(0.0, gib(s.reserved - s.peak)));
    chart.columns.push_back(std::move(column));
  }
  const std::vector<double>& parts = chart.columns[m.worst].parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] < 0.005) continue;
    const bool last = i + 1 == parts.size();
    table.row(
        {swatch(chart.colours[i]) + (last ? std::string("allocator, context and communicators")
                                     : i < named ? order[i].first
                                                 : std::string("others")),
         fmt::format("{:.2f}", parts[i])});
  }
  table.last_row({fmt::format("held, of {:.2f} GiB there", gib(worst.capacity)),
                  fmt::format("{:.2f}", gib(worst.reserved))});
  const std::string told = fmt::format(
      "Memory of each pipeline stage at its peak, by owner; the dashed line is what an accelerator "
      "has. Stage {} holds {} of {}, most in the {}.",
      worst.stage, show(worst.reserved), show(worst.capacity), worst.moment);
  return card(
      "memory", "Memory",
      figure(column_chart_svg(chart, {kHalf, kInPage, {"memory-chart", "Memory by stage", told}}),
             told) +
          table.markup());
}

}  // namespace forerun::sim::report
