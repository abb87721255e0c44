// When it is done, where the time goes, what interrupts it.

#include <fmt/format.h>

#include <algorithm>

#include "core/bar_chart.h"
#include "core/histogram.h"
#include "core/table.h"
#include "sim/report/page.h"
#include "sim/report/sections.h"
#include "sim/report/words.h"

namespace forerun::sim::report {
namespace {

constexpr double kHalf = 430;            // width of a picture in half a page
constexpr double kLeastShare = 0.00005;  // of the time: less is not shown
constexpr std::size_t kMostCauses = 10;

std::string runs_text(const RunForecast& r) {
  return fmt::format("{} simulated runs", show_count(static_cast<double>(r.draws.size())));
}

}  // namespace

Markup finish_section(const Scenario& s, const Answer& a) {
  if (!a.run || a.run->draws.empty()) return {};
  const RunForecast& r = *a.run;
  const Spread& d = r.duration_s;
  const TimeUnit unit = time_unit(Seconds(d.p50));
  const auto in_unit = [&](double seconds) { return Seconds(seconds).in(unit.unit); };
  Histogram h;
  for (const RunDraw& draw : r.draws) h.values.push_back(draw.duration.in(unit.unit));
  h.x_label = fmt::format("duration, {}", unit.name);
  h.y_label = "% of runs";
  h.from = in_unit(d.p10);
  h.to = in_unit(d.p90);
  h.marks = {{in_unit(d.p10), fmt::format("P10 {}", significant(in_unit(d.p10), 3)), false},
             {in_unit(d.p50), fmt::format("P50 {}", significant(in_unit(d.p50), 3)), false},
             {in_unit(d.p90), fmt::format("P90 {}", significant(in_unit(d.p90), 3)), false}};
  if (s.cost.start && s.cost.deadline) {
    const double at = time_to_deadline(s.cost).in(unit.unit);
    h.marks.push_back({at, fmt::format("deadline {}", significant(at, 3)), true});
  }
  const std::string told =
      fmt::format("Half of the {} are done within {}, one in ten within {}, nine in ten within {}.",
                  runs_text(r), show(Seconds(d.p50)), show(Seconds(d.p10)), show(Seconds(d.p90)));
  Markup out =
      figure(histogram_svg(
                 h, {kHalf, kInPage, {"finish-chart", "How long the simulated runs take", told}}),
             told);
  if (r.given_up > 0) {
    out += note(fmt::format(
        "{} of them were given up: they took longer than twenty times an undisturbed run.",
        show_percent(r.given_up)));
  }
  return card("finish", "When it is done", out);
}

Markup time_use_section(const Answer& a) {
  if (!a.run) return {};
  const RunForecast& r = *a.run;
  using Align = HtmlTable::Align;
  HtmlTable table({{"", Align::left},
                   {"share", Align::right},
                   {"8 of 10", Align::right},
                   {"time", Align::right}});
  std::vector<BarPart> bar;
  for (const RunForecast::Part& p : r.parts) {
    if (p.share.mean < kLeastShare) continue;
    const Named what = words_of(p.use);
    bar.push_back({what.words, show_percent(p.share.mean, 2), p.share.mean, what.colour});
    table.row({swatch(what.colour) + what.words, show_percent(p.share.mean, 2),
               percent_range(p.share.p10, p.share.p90),
               show(Seconds(p.share.mean * r.duration_s.mean))});
  }
  if (bar.empty()) return {};
  table.last_row({"whole run", "100 %", "", show(Seconds(r.duration_s.mean))});
  const std::string told = fmt::format(
      "In the median run {} of the time are steps that count (goodput), in 8 of 10 runs "
      "{}.",
      show_percent(r.goodput.p50), percent_range(r.goodput.p10, r.goodput.p90));
  return card("time", "Where the time goes",
              figure(stacked_bar_svg(
                  bar, {kHalf, kInPage, {"time-chart", "Shares of the run's time", told}})) +
                  table.markup("On the mean, and the range of 8 in 10 runs") + note(told));
}

Markup interruptions_section(const Answer& a) {
  if (!a.run || a.run->causes.empty()) return {};
  const RunForecast& r = *a.run;
  std::vector<ChartBar> bars;
  for (const RunForecast::Cause& c : r.causes) {
    const Spread& n = c.interruptions;
    if (n.mean <= 0) continue;
    bars.push_back(
        {c.name,
         fmt::format("{} ({} to {})", times_text(n.mean), times_text(n.p10), times_text(n.p90)),
         n.mean, n.p10, n.p90, 0});
  }
  std::ranges::stable_sort(bars,
                           [](const ChartBar& x, const ChartBar& y) { return x.value > y.value; });
  if (bars.size() > kMostCauses) bars.resize(kMostCauses);
  const Spread& n = r.interruptions;
  std::string told =
      fmt::format("{} interruption{} in the median run, {} to {} in 8 of 10.", times_text(n.p50),
                  n.p50 == 1 ? "" : "s", times_text(n.p10), times_text(n.p90));
  Markup out = paragraph(told);
  if (!bars.empty()) {
    out += figure(
        bar_chart_svg(bars,
                      {kHalf, kInPage, {"causes-chart", "Interruptions in a run by cause", told}}),
        "Interruptions in a run by cause: the mean, and the range of 8 in 10 runs.");
  }
  std::string checkpoints = fmt::format("State is saved every {}", show(r.checkpoint_interval));
  if (r.best_interval) {
    checkpoints += fmt::format("; the interval that loses least (Young and Daly) is {}",
                               show(*r.best_interval));
  }
  return card("interruptions", "What interrupts it", out + note(checkpoints + "."));
}

}  // namespace forerun::sim::report
