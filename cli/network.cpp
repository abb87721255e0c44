#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "cli/command.h"
#include "cli/load.h"
#include "cli/report.h"
#include "core/table.h"
#include "hw/network_cut.h"
#include "hw/traffic.h"

namespace forerun::cli {
namespace {

using Align = Table::Align;

hw::Topology load_topology(const Options& o) {
  const std::string path = hw::topology_path(o.arguments.front());
  Problems problems;
  JsonDocument document = JsonDocument::load(path, problems);
  set_values(document, o.set, problems);
  std::optional<hw::Topology> t = hw::read_topology(document, problems);
  if (!t) refuse(path, problems);
  return *std::move(t);
}

/// Links alike, one direction: what they join, how many are up, how fast they are.
struct LinkClass {
  hw::NodeKind from, to;
  Bandwidth bandwidth;
  Seconds latency;
  auto operator<=>(const LinkClass&) const = default;
};

struct LinkCount {
  std::int64_t up = 0, failed = 0;
};

std::map<LinkClass, LinkCount> link_classes(const hw::NetworkGraph& g) {
  std::map<LinkClass, LinkCount> all;
  for (const hw::NetworkLink& l : g.links()) {
    LinkCount& n = all[{g.node(l.from).kind, g.node(l.to).kind, l.bandwidth, l.latency}];
    ++(l.failed ? n.failed : n.up);
  }
  return all;
}

std::map<hw::NodeKind, std::int64_t> node_counts(const hw::NetworkGraph& g) {
  std::map<hw::NodeKind, std::int64_t> all;
  for (const hw::NetworkNode& n : g.nodes()) ++all[n.kind];
  return all;
}

std::string graph_text(const hw::Topology& t, Bandwidth bisection) {
  Table nodes({{"nodes", Align::left}, {"count", Align::right}});
  for (const auto& [kind, n] : node_counts(t.graph)) {
    nodes.row({std::string(hw::name(kind)), show_count(static_cast<double>(n))});
  }
  Table links({{"links", Align::left},
               {"to", Align::left},
               {"up", Align::right},
               {"failed", Align::right},
               {"each", Align::right},
               {"latency", Align::right}});
  for (const auto& [c, n] : link_classes(t.graph)) {
    links.row({std::string(hw::name(c.from)), std::string(hw::name(c.to)),
               show_count(static_cast<double>(n.up)), show_count(static_cast<double>(n.failed)),
               show(c.bandwidth), show(c.latency)});
  }
  return fmt::format("{}\n\n{}\n{}\n  between the halves {}\n", wrapped(t.what, 2), nodes.text(),
                     links.text(), show(bisection));
}

std::string jobs_text(const hw::Topology& t, const hw::Traffic& traffic) {
  Table table({{"job", Align::left},
               {"collective", Align::left},
               {"groups", Align::right},
               {"ranks", Align::right},
               {"bytes", Align::right},
               {"analytic", Align::right},
               {"alone", Align::right},
               {"beside others", Align::right},
               {"bus bandwidth", Align::right},
               {"fullest link, alone", Align::left}});
  for (std::size_t i = 0; i < t.jobs.size(); ++i) {
    const hw::NetworkJob& j = t.jobs[i];
    const hw::JobTime& time = traffic.jobs[i];
    table.row({j.name, std::string(hw::name(j.kind)), show_count(static_cast<double>(j.groups)),
               show_count(static_cast<double>(j.count)), show(j.bytes),
               t.network ? show(time.analytic) : "", show(time.alone), show(time.beside),
               show(time.bus), time.fullest});
  }
  return fmt::format("{}\n  {} events, {} solutions of {} flows and {} uses of links\n",
                     table.text(), show_count(static_cast<double>(traffic.run.events)),
                     show_count(static_cast<double>(traffic.run.solves)),
                     show_count(static_cast<double>(traffic.run.flows_solved)),
                     show_count(static_cast<double>(traffic.run.uses_solved)));
}

void write_graph(JsonWriter& json, const hw::Topology& t, Bandwidth bisection) {
  json.key("name").value(t.name).key("kind").value(hw::name(t.kind));
  json.key("nodes").begin_object();
  for (const auto& [kind, n] : node_counts(t.graph)) json.key(hw::name(kind)).value(n);
  json.end_object().key("links").begin_array();
  for (const auto& [c, n] : link_classes(t.graph)) {
    json.begin_object().key("from").value(hw::name(c.from)).key("to").value(hw::name(c.to));
    json.key("up").value(n.up).key("failed").value(n.failed);
    json.key("bandwidth_Bps").value(c.bandwidth.base());
    json.key("latency_s").value(c.latency.base()).end_object();
  }
  json.end_array().key("bisection_Bps").value(bisection.base());
  json.key("inputs").begin_array();
  for (const auto& [field, evidence] : t.evidence) {
    json.begin_object().key("field").value(field).key("evidence").value(name(evidence));
    json.key("source").value(t.source.at(field)).end_object();
  }
  json.end_array();
}

void write_jobs(JsonWriter& json, const hw::Topology& t, const hw::Traffic& traffic) {
  json.key("jobs").begin_array();
  for (std::size_t i = 0; i < t.jobs.size(); ++i) {
    const hw::NetworkJob& j = t.jobs[i];
    const hw::JobTime& time = traffic.jobs[i];
    json.begin_object().key("name").value(j.name).key("collective").value(hw::name(j.kind));
    json.key("groups").value(j.groups).key("ranks").value(j.count);
    json.key("bytes").value(j.bytes.base()).key("analytic_s");
    t.network ? json.value(time.analytic.base()) : json.null();
    json.key("alone_s").value(time.alone.base()).key("beside_s").value(time.beside.base());
    json.key("bus_bandwidth_alone_Bps").value(time.bus_alone.base());
    json.key("bus_bandwidth_beside_Bps").value(time.bus.base());
    json.key("fullest_link").value(time.fullest).key("filled_s").value(time.filled.base());
    json.end_object();
  }
  json.end_array().key("events").value(traffic.run.events);
  json.key("solves").value(traffic.run.solves);
}

}  // namespace

int network(const Options& o) {
  const hw::Topology t = load_topology(o);
  const Bandwidth bisection = hw::bisection_bandwidth(t.graph);
  const auto seed = static_cast<std::int64_t>(o.seed.value_or(1));
  const hw::Traffic traffic = hw::run_jobs(t, static_cast<std::uint64_t>(seed));
  JsonWriter json;
  json.begin_object();
  write_graph(json, t, bisection);
  write_jobs(json, t, traffic);
  json.key("seed").value(seed).key("version").value(FORERUN_VERSION).end_object();
  deliver(o,
          fmt::format("{}\n{}\n{}\n  seed {}, forerun {}\n", t.name, graph_text(t, bisection),
                      jobs_text(t, traffic), seed, FORERUN_VERSION),
          json);
  return 0;
}

}  // namespace forerun::cli
