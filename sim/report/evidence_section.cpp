// What the answer rests on: kernels, inputs, assumptions, sources.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/bar_chart.h"
#include "core/table.h"
#include "sim/provenance.h"
#include "sim/report/page.h"
#include "sim/report/sections.h"
#include "sim/report/words.h"

namespace forerun::sim::report {
namespace {

constexpr double kHalf = 430;
using Align = HtmlTable::Align;

Markup kernels(const StepResult& r) {
  Seconds total{};
  for (const Seconds part : r.by_evidence) total += part;
  if (total.base() <= 0) return {};
  HtmlTable table({{"kernels of a step", Align::left}, {"of their time", Align::right}});
  std::vector<BarPart> bar;
  for (std::size_t i = 0; i < r.by_evidence.size(); ++i) {
    const double share = r.by_evidence[i] / total;
    if (share <= 0) continue;
    const Named what = words_of(static_cast<DurationEvidence>(i));
    bar.push_back({what.words, show_percent(share), share, what.colour});
    table.row({swatch(what.colour) + what.words, show_percent(share)});
  }
  return figure(stacked_bar_svg(bar, {kHalf,
                                      kInPage,
                                      {"kernels-chart", "Evidence of kernel times",
                                       "Share of the kernels' time by how well it is known."}})) +
         table.markup();
}

Markup inputs(const Provenance& p) {
  std::int64_t all = 0;
  for (const std::int64_t n : p.by_evidence) all += n;
  if (all == 0) return {};
  HtmlTable table({{"facts that went in", Align::left}, {"how many", Align::right}});
  std::vector<BarPart> bar;
  for (std::size_t i = 0; i < p.by_evidence.size(); ++i) {
    if (p.by_evidence[i] == 0) continue;
    const Named what = words_of(static_cast<Evidence>(i));
    const std::string count = show_count(static_cast<double>(p.by_evidence[i]));
    bar.push_back({what.words, count, static_cast<double>(p.by_evidence[i]), what.colour});
    table.row({swatch(what.colour) + what.words, count});
  }
  table.last_row({fmt::format("all; the weakest is {}", name(p.weakest)),
                  show_count(static_cast<double>(all))});
  return figure(stacked_bar_svg(bar, {kHalf,
                                      kInPage,
                                      {"inputs-chart", "Evidence of inputs",
                                       "Facts of model, accelerator, network and framework by "
                                       "evidence."}})) +
         table.markup("Of model, accelerator, network and framework");
}

Markup evidence_of_parts(const Answer& a) {
  std::vector<std::pair<Markup, Markup>> rows;
  if (a.run) rows.emplace_back("failures, checkpoints, operations", name(a.run->evidence));
  if (a.cost) rows.emplace_back("prices", name(a.cost->evidence));
  if (a.loss && a.loss->losses) {
    rows.emplace_back(fmt::format("loss law {}", a.loss->law->name),
                      name(a.loss->losses->evidence));
  }
  if (rows.empty()) return {};
  return element("h3", "The weakest input of each part") + facts(rows);
}

void add_list(Markup& out, const char* heading, const std::vector<std::string>& sentences) {
  if (sentences.empty()) return;
  out += element("h3", heading) + list(std::vector<Markup>(sentences.begin(), sentences.end()));
}

}  // namespace

Markup evidence_section(const Scenario& s, const Answer& a) {
  Markup out;
  if (a.step) out += kernels(*a.step);
  out += inputs(provenance(s)) + evidence_of_parts(a);
  return card("evidence", "What it rests on", out);
}

Markup warnings_section(const Answer& a) {
  std::vector<std::string> all;
  const auto add = [&](const std::vector<std::string>& more) {
    for (const std::string& w : more) {
      if (std::ranges::find(all, w) == all.end()) all.push_back(w);
    }
  };
  if (a.run) add(a.run->warnings);
  if (a.cost) add(a.cost->warnings);
  if (a.loss && a.loss->losses) add(a.loss->losses->warnings);
  if (a.loss && a.loss->signal) add(a.loss->signal->warnings);
  if (all.empty()) return {};
  return long_card("warnings", "Warnings", list(std::vector<Markup>(all.begin(), all.end())));
}

Markup assumptions_section(const Scenario& s, const Answer& a) {
  Markup out;
  add_list(out, "Of the question", s.assumptions);
  std::map<std::string, std::vector<std::string>> assumed;
  for (const InputFact& f : provenance(s).facts) {
    if (f.evidence == Evidence::assumed) assumed[f.owner].push_back(f.fact);
  }
  std::vector<Markup> owners;
  for (const auto& [owner, facts_of_it] : assumed) {
    owners.push_back(element("b", owner) + fmt::format(": {}", fmt::join(facts_of_it, ", ")));
  }
  if (!owners.empty()) out += element("h3", "Facts that nobody published") + list(owners);
  if (a.run) add_list(out, "Of failures, checkpoints and operations", a.run->assumptions);
  if (a.cost) add_list(out, "Of money and energy", a.cost->assumptions);
  if (a.loss) {
    std::vector<std::string> of_losses = a.loss->notes;
    if (a.loss->losses) {
      of_losses.insert(of_losses.end(), a.loss->losses->assumptions.begin(),
                       a.loss->losses->assumptions.end());
      if (a.loss->losses->without_spread > 0) {
        of_losses.push_back(fmt::format(
            "{} of the law's {} constants come without a spread and do not widen the ranges",
            a.loss->losses->without_spread, a.loss->law->constants.size()));
      }
    }
    add_list(out, "Of losses and stability", of_losses);
  }
  if (out.empty()) return {};
  return long_card("assumptions", "What is assumed", out);
}

Markup sources_section(const Scenario& s) {
  const Provenance inputs = provenance(s);
  // Of each owner its sources, each with all facts that come from it.
  std::map<std::string, std::map<std::string, std::vector<std::string>>> sources;
  for (const InputFact& f : inputs.facts) {
    if (f.source.empty()) continue;
    sources[f.owner][f.source].push_back(fmt::format("{} ({})", f.fact, name(f.evidence)));
  }
  Markup of_facts;
  for (const auto& [owner, from] : sources) {
    std::vector<Markup> items;
    for (const auto& [source, facts_of_it] : from) {
      items.push_back(fmt::format("{}: ", fmt::join(facts_of_it, ", ")) + element("span", source));
    }
    of_facts += element("h3", owner) + list(items);
  }
  std::vector<Markup> others;
  const auto add = [&](const std::string& what, const std::string& source) {
    if (!source.empty()) others.push_back(element("b", what) + ": " + source);
  };
  add("published values", s.published.source);
  add("price", s.price_source);
  for (const Pool& p : s.pools) add("price of " + p.accelerator.name, p.price_source);
  add("recipe", s.recipe.source);
  if (sources.empty() && others.empty()) return {};
  Markup out = list(others);
  if (!sources.empty()) {
    out += details(fmt::format("The sources of {} facts",
                               show_count(static_cast<double>(inputs.facts.size()))),
                   element("div", "class=\"columns\"", of_facts));
  }
  return long_card("sources", "Sources", out);
}

}  // namespace forerun::sim::report
