#include "sim/report/choices_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/front_chart.h"
#include "sim/report/page.h"

namespace forerun::sim {
namespace {

using namespace report;

constexpr double kWide = 860, kNarrow = 400;
/// A thousand ways are a picture; a table is for reading.
constexpr std::size_t kMostRows = 60;
/// From here on an axis is logarithmic.
constexpr double kWideRange = 30;

bool is_wide(const std::vector<FrontPoint>& points, double FrontPoint::* axis) {
  double least = points.front().*axis, most = least;
  for (const FrontPoint& p : points) {
    least = std::min(least, p.*axis);
    most = std::max(most, p.*axis);
  }
  return least > 0 && most / least > kWideRange;
}

Markup front_section(const ChoicesPage& c) {
  FrontChart chart{c.x_label, c.y_label, false, false, {}};
  for (std::size_t i = 0; i < c.ways.size(); ++i) {
    const ChoicesPage::Way& w = c.ways[i];
    if (!w.x || !w.y) continue;
    const bool listed = i < kMostRows;
    chart.points.push_back({*w.x, *w.y, listed ? fmt::format("{}", i + 1) : std::string(),
                            listed ? w.name : std::string(), false, w.chosen});
  }
  if (chart.points.empty() || c.x_label.empty()) return {};
  const std::vector<bool> front = front_of(chart.points);
  for (std::size_t i = 0; i < front.size(); ++i) {
    chart.points[i].on_front = front[i];
    if (!front[i] && !chart.points[i].chosen) chart.points[i].name.clear();
  }
  chart.log_x = is_wide(chart.points, &FrontPoint::x);
  chart.log_y = is_wide(chart.points, &FrontPoint::y);
  const std::string told =
      "Every way to go as a dot, less being better in both. Those on the line none beats in both "
      "at "
      "once; the one that was chosen is ringed. Numbers are those of the table.";
  Markup pictures = element(
      "div", "class=\"broad\"",
      Markup::raw(front_chart_svg(chart, {kWide, kInPage, {"front-wide", "The front", told}})));
  pictures += element(
      "div", "class=\"narrow\"",
      Markup::raw(front_chart_svg(chart, {kNarrow, kInPage, {"front-narrow", "The front", told}})));
  return card("front", "What one thing costs of the other", figure(pictures.text(), told));
}

Markup ways_section(const ChoicesPage& c) {
  using Align = HtmlTable::Align;
  const bool remarks = std::ranges::any_of(c.ways, [](const auto& w) { return !w.remark.empty(); });
  std::vector<std::pair<Markup, Align>> columns = {{"", Align::right}, {"way", Align::left}};
  for (const ChoicesPage::Column& k : c.columns) {
    columns.emplace_back(k.name, k.is_number ? Align::right : Align::left);
  }
  if (remarks) columns.emplace_back("beside the best", Align::left);
  HtmlTable table(columns);
  const std::size_t shown = std::min(c.ways.size(), kMostRows);
  for (std::size_t i = 0; i < shown; ++i) {
    const ChoicesPage::Way& w = c.ways[i];
    std::vector<Markup> cells = {fmt::format("{}", i + 1),
                                 w.chosen ? element("b", w.name) : Markup(w.name)};
    cells.insert(cells.end(), w.cells.begin(), w.cells.end());
    if (remarks) cells.emplace_back(w.remark);
    table.row(cells);
  }
  if (shown == 0) return {};
  Markup out = table.markup();
  if (shown < c.ways.size()) {
    out += note(fmt::format("{} more are not shown.", c.ways.size() - shown));
  }
  return long_card("ways", "The ways to go, best first", out);
}

}  // namespace

std::string choices_page(const ChoicesPage& c) {
  Markup body = element("header", element("p", "class=\"eyebrow\"", "A choice for a training run") +
                                      element("h1", c.title) +
                                      element("p", "class=\"question\"", c.question) +
                                      (c.description.empty() ? Markup() : note(c.description)));
  Markup answers;
  for (const ChoicesPage::Tile& t : c.tiles) {
    answers +=
        tile(t.heading, big(t.number, t.unit) + (t.about.empty() ? Markup() : about(t.about)));
  }
  if (!answers.empty()) body += tiles(answers);
  Markup remarks;
  for (const ChoicesPage::Remarks& r : c.remarks) {
    if (r.sentences.empty()) continue;
    remarks += element("h3", r.heading) +
               list(std::vector<Markup>(r.sentences.begin(), r.sentences.end()));
  }
  std::vector<std::pair<Markup, Markup>> rows = {{"program", "forerun " + c.version}};
  for (const auto& [what, value] : c.identity) rows.emplace_back(what, value);
  const Markup again = command_line(c.command) + facts(rows) +
                       note("The same program, inputs and seed make the same page, byte for byte.");
  body += laid_out(
      {{Width::whole, front_section(c)},
       {Width::whole, ways_section(c)},
       {Width::whole,
        remarks.empty() ? Markup() : long_card("remarks", "What to know about it", remarks)},
       {Width::whole, card("identity", "How to make this page again", again)}});
  return page(c.title, body);
}

}  // namespace forerun::sim
