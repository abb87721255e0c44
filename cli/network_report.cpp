#include "cli/network_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/report.h"
#include "core/table.h"

namespace forerun::cli {
namespace {

constexpr std::size_t kMostLinks = 5;

}  // namespace

std::string network_text(const sim::Scenario& s) {
  if (!s.topology) return s.network.name;
  std::string out = fmt::format("{} as the graph {}, on whose links exchanges share",
                                s.network.name, s.topology_name);
  for (std::size_t i = 0; i < s.beside.size(); ++i) {
    out += fmt::format("{}{}", i == 0 ? ", beside " : " and ", s.beside[i].name);
  }
  return out;
}

std::string contention_text(const sim::StepResult& r) {
  using Align = Table::Align;
  const sim::Contention& c = r.contention;
  if (c.exchanges.empty() && c.links.empty()) return {};
  Table table({{"exchange that links can slow", Align::left},
               {"times", Align::right},
               {"of them slowed", Align::right},
               {"alone", Align::right},
               {"beside others", Align::right},
               {"ratio", Align::right}});
  for (const sim::SharedExchanges& e : c.exchanges) {
    table.row({e.name, show_count(static_cast<double>(e.times)),
               show_count(static_cast<double>(e.slowed)), show(e.alone), show(e.took),
               fmt::format("{:.2f}", e.took / e.alone)});
  }
  std::string out = fmt::format("what shared links cost ({})\n\n{}", rank_text(r), table.text());
  std::vector<std::string> fullest;
  for (std::size_t i = 0; i < std::min(kMostLinks, c.links.size()); ++i) {
    fullest.push_back(fmt::format("{} for {}", c.links[i].name, show_percent(c.links[i].share)));
  }
  if (!fullest.empty()) {
    out +=
        wrapped(fmt::format("this job's bytes fill {} of the step", fmt::join(fullest, ", ")), 0);
  }
  return out + "\n";
}

void write_network(JsonWriter& json, const sim::Scenario& s) {
  json.key("network").value(s.network.name);
  json.key("fidelity").value(s.topology ? "flow" : "analytic");
  if (s.topology) json.key("topology").value(s.topology_name);
}

void write_contention(JsonWriter& json, const sim::StepResult& r) {
  const sim::Contention& c = r.contention;
  if (c.exchanges.empty() && c.links.empty()) return;
  json.key("contention").begin_object().key("exchanges").begin_array();
  for (const sim::SharedExchanges& e : c.exchanges) {
    json.begin_object().key("name").value(e.name).key("category").value(sim::name(e.category));
    json.key("times").value(e.times).key("slowed").value(e.slowed);
    json.key("alone_s").value(e.alone.base()).key("took_s").value(e.took.base()).end_object();
  }
  json.end_array().key("links").begin_array();
  for (const sim::FilledLink& l : c.links) {
    json.begin_object().key("name").value(l.name).key("filled").value(l.share).end_object();
  }
  json.end_array().end_object();
}

}  // namespace forerun::cli
