// One step: where its time goes, and its course.

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/bar_chart.h"
#include "core/gantt.h"
#include "core/table.h"
#include "sim/error_band.h"
#include "sim/report/page.h"
#include "sim/report/palette.h"
#include "sim/report/sections.h"
#include "sim/report/timeline.h"
#include "sim/report/words.h"

namespace forerun::sim::report {
namespace {

constexpr double kHalf = 430, kWide = 860;
/// Rows of the picture of a step: more would not be told apart on paper.
constexpr std::size_t kMostRows = 20;
/// Replicas differ little.
constexpr std::size_t kMostReplicas = 6;

std::string seconds_text(Seconds t) {
  return t < 1.0_s ? show(t) : fmt::format("{} s", significant(t.base(), 4));
}

std::string rank_words(const StepResult& r) {
  const auto stages = static_cast<std::int64_t>(r.memory.stages.size());
  if (r.imbalance.lanes == 1) return fmt::format("stage {}", r.rank);
  return fmt::format("stage {} of lane {}", r.rank % stages, r.rank / stages);
}

std::vector<std::pair<Markup, Markup>> step_facts(const Scenario& s, const Answer& a) {
  const StepResult& r = *a.step;
  std::vector<std::pair<Markup, Markup>> rows = {{"time of a step", seconds_text(r.time)}};
  if (const auto band = time_band(load_error_bands(), s, r.time)) {
    rows.emplace_back(fmt::format("{} of published runs lay within", show_percent(band->level, 0)),
                      fmt::format("{} to {} ({})", seconds_text(band->low),
                                  seconds_text(band->high), band->rests_on));
  }
  if (s.published.step_time) {
    const double off = r.time / *s.published.step_time - 1;
    rows.emplace_back("published",
                      fmt::format("{}: forerun is {} {}", seconds_text(*s.published.step_time),
                                  show_percent(std::abs(off)), off < 0 ? "faster" : "slower"));
  }
  const double rate = a.tokens_per_step / r.time.base();
  rows.emplace_back(
      "throughput",
      fmt::format("{} tokens a second, {} on each accelerator", show_count(std::round(rate)),
                  show_count(std::round(rate / static_cast<double>(s.accelerators)))));
  rows.emplace_back(
      "utilisation",
      fmt::format("{} of the 16-bit peak (6 N + 12 L Q S FLOPs a token, recompute not "
                  "counted)",
                  show_percent(r.model_flops_utilisation)));
  rows.emplace_back("power",
                    fmt::format("{} W an accelerator on the mean, clock at {} of the burst "
                                "clock",
                                significant(r.power.base(), 3), show_percent(r.clock, 0)));
  return rows;
}

}  // namespace

Markup step_section(const Scenario& s, const Answer& a) {
  if (!a.step) return {};
  const StepResult& r = *a.step;
  std::vector<std::size_t> order(r.breakdown.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(
      order, [&](std::size_t x, std::size_t y) { return r.breakdown[x] > r.breakdown[y]; });
  using Align = HtmlTable::Align;
  HtmlTable table({{"", Align::left}, {"time", Align::right}, {"share", Align::right}});
  std::vector<BarPart> bar;
  for (const std::size_t i : order) {
    if (r.breakdown[i].base() <= 0) continue;
    const Named what = words_of(static_cast<Category>(i));
    const std::string share = show_percent(r.breakdown[i] / r.time);
    bar.push_back({what.words, share, r.breakdown[i].base(), what.colour});
    table.row({swatch(what.colour) + what.words, show(r.breakdown[i]), share});
  }
  table.last_row({"whole step", seconds_text(r.time), "100 %"});
  const std::string told = fmt::format(
      "Where the time of the busiest accelerator goes ({}). Exchanges that hide behind computing "
      "are not in it.",
      rank_words(r));
  return card("step", "One step",
              facts(step_facts(s, a)) +
                  figure(stacked_bar_svg(
                      bar, {kHalf, kInPage, {"step-chart", "Where a step's time goes", told}})) +
                  table.markup() + note(told));
}

Markup timeline_section(const Scenario&, const Answer& a) {
  if (!a.step || !a.step->program || !a.step->execution || a.step->memory.stages.empty()) return {};
  const StepResult& r = *a.step;
  const std::size_t stages = r.memory.stages.size();
  const Timeline t =
      timeline(*r.program, *r.execution, r.rank, stages, stages == 1 ? kMostReplicas : kMostRows);
  std::vector<LegendItem> items;
  for (const TimelineKey& k : t.keys) items.push_back({k.words, k.colour});
  const bool lanes = stages == 1 && t.chart.rows.size() > 1;
  std::string told = fmt::format(
      "Each row is an accelerator of {}: above its passes and what it waited for, below, thin, its "
      "exchanges, hidden or not. Where passes are too short to be drawn, a column shows their "
      "shares "
      "of the time.",
      lanes ? "one data-parallel replica" : "one pipeline stage");
  if (t.left_out > 0) {
    told += fmt::format(" Of {} {}, {} are drawn.", t.chart.rows.size() + t.left_out,
                        lanes ? "replicas that differ" : "stages", t.chart.rows.size());
  }
  return card(
      "timeline", "The course of a step",
      legend(items) +
          wide_figure(
              gantt_svg(t.chart, {kWide, kInPage, {"timeline-chart", "Course of a step", told}}),
              told));
}

}  // namespace forerun::sim::report
