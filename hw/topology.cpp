#include "hw/topology.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "core/error.h"
#include "core/file.h"
#include "core/sourced_reader.h"
#include "hw/network_shapes.h"

namespace forerun::hw {
namespace {

constexpr std::array kKinds = {Choice<TopologyKind>{"nvlink_domain", TopologyKind::nvlink_domain},
                               Choice<TopologyKind>{"fat_tree", TopologyKind::fat_tree},
                               Choice<TopologyKind>{"leaf_spine", TopologyKind::leaf_spine},
                               Choice<TopologyKind>{"rail_optimised", TopologyKind::rail_optimised},
                               Choice<TopologyKind>{"dragonfly", TopologyKind::dragonfly},
                               Choice<TopologyKind>{"torus", TopologyKind::torus}};
constexpr std::string_view kFolder = "hw/profiles/topologies";

/// What makes the graph, read and checked, but not made before all of the file was right.
struct Shape {
  DomainShape domains;
  ClosShape clos;
  DragonflyShape dragonfly;
  TorusShape torus;
};

/// A rule across fields, of fields that could be read.
void expect(Reader& top, bool holds, std::string_view key, const std::string& rule) {
  if (!holds) top.problem(key, rule);
}

void read_clos(Reader& top, SourcedReader& f, Shape& s, const Problems& problems) {
  ClosShape& c = s.clos;
  const std::size_t before = problems.list().size();
  s.domains.domains = f.integer("domains", 1, kMostAccelerators);
  c.domains_per_leaf = f.integer("domains_per_leaf", 1, kMostAccelerators);
  c.spines = f.integer("spines", 1, 1 << 16);
  c.oversubscription = f.number("oversubscription", 0.1, 1000);
  c.pods = f.integer("pods", 1, 1 << 16);
  if (top.has("cores")) c.cores = f.integer("cores", 0, 1 << 16);
  if (top.has("core_oversubscription")) {
    c.core_oversubscription = f.number("core_oversubscription", 0.1, 1000);
  }
  if (problems.list().size() != before) return;
  expect(top, s.domains.domains % c.domains_per_leaf == 0, "domains_per_leaf",
         fmt::format("{} domains do not divide into leaves of {}", s.domains.domains,
                     c.domains_per_leaf));
  expect(top, s.domains.domains / c.domains_per_leaf % c.pods == 0, "pods",
         fmt::format("{} leaf units do not divide into {} pods",
                     s.domains.domains / c.domains_per_leaf, c.pods));
  expect(top, c.pods == 1 || c.cores > 0, "cores", fmt::format("{} pods need cores", c.pods));
  expect(top, c.cores % c.spines == 0, "cores",
         fmt::format("{} cores are no multiple of {} spines", c.cores, c.spines));
}

void read_fat_tree(Reader& top, SourcedReader& f, Shape& s, const Problems& problems) {
  const std::size_t before = problems.list().size();
  const std::int64_t ports = f.integer("ports", 2, 1024);
  const std::int64_t levels = f.integer("levels", 2, 3);
  s.domains.domains = f.integer("domains", 1, kMostAccelerators);
  const std::int64_t pods = levels == 3 ? f.integer("pods", 1, 1024) : 1;
  const double oversubscription = f.number("oversubscription", 0.1, 1000);
  if (problems.list().size() != before) return;
  expect(
      top, ports % 2 == 0 && ports / 2 % s.domains.per_domain == 0, "ports",
      fmt::format("half of {} ports do not take whole domains of {}", ports, s.domains.per_domain));
  expect(top, pods <= ports, "pods", fmt::format("{} pods at {} ports", pods, ports));
  if (problems.list().size() != before) return;
  s.clos = hw::fat_tree(ports, levels, s.domains.per_domain, pods, oversubscription);
  const std::int64_t leaf = s.clos.domains_per_leaf;
  const std::int64_t leaves = levels == 3 ? pods * ports / 2 : ports;
  expect(top, s.domains.domains % (leaf * pods) == 0 && s.domains.domains <= leaf * leaves,
         "domains",
         fmt::format("{} domains: at most {}, in whole leaves of {} in each of {} pods",
                     s.domains.domains, leaf * leaves, leaf, pods));
}

void read_dragonfly(Reader& top, SourcedReader& f, Shape& s, const Problems& problems) {
  DragonflyShape& d = s.dragonfly;
  const std::size_t before = problems.list().size();
  d.groups = f.integer("groups", 1, 1 << 14);
  d.routers = f.integer("routers", 1, 1 << 10);
  d.hosts = f.integer("hosts", 1, 1 << 10);
  d.global = f.integer("global", 0, 1 << 10);
  d.local_link = f.bandwidth("local_link");
  d.global_link = f.bandwidth("global_link");
  if (problems.list().size() != before) return;
  const std::int64_t hosts = d.groups * d.routers * d.hosts;
  expect(top, hosts <= kMostAccelerators && hosts % s.domains.per_domain == 0, "hosts",
         fmt::format("{} accelerators: at most {}, in whole domains of {}", hosts,
                     kMostAccelerators, s.domains.per_domain));
  expect(top, d.groups <= d.routers * d.global + 1, "global",
         fmt::format("{} links of a group do not reach {} others", d.routers * d.global,
                     d.groups - 1));
  expect(top, d.local_link.base() > 0, "local_link", "zero");
  expect(top, d.global_link.base() > 0, "global_link", "zero");
  s.domains.domains = hosts / s.domains.per_domain;
}

void read_torus(Reader& top, SourcedReader& f, Shape& s, const Problems& problems) {
  const std::size_t before = problems.list().size();
  s.torus.size =
      f.field("size", [](Reader& r) { return r.integers("value", 1, kMostAccelerators); });
  s.torus.wraps = f.boolean("wraps");
  s.torus.link = f.bandwidth("link");
  if (problems.list().size() != before) return;
  std::int64_t count = 1;
  for (const std::int64_t n : s.torus.size) count = std::min(count * n, kMostAccelerators + 1);
  expect(top, s.torus.size.size() == 2 || s.torus.size.size() == 3, "size",
         fmt::format("{} axes, not two or three", s.torus.size.size()));
  expect(top, count <= kMostAccelerators, "size",
         fmt::format("more than {} accelerators", kMostAccelerators));
  expect(top, s.torus.link.base() > 0, "link", "zero");
}

std::optional<Network> read_profile(Reader& top) {
  const std::string name = top.text("network");
  const std::vector<std::string> known = network_names();
  if (name.empty()) return std::nullopt;
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    const std::string near = nearest(name, {known.begin(), known.end()});
    top.problem("network",
                fmt::format("no network profile is named {}{}", name,
                            near.empty() ? "" : fmt::format(", did you mean {}?", near)));
    return std::nullopt;
  }
  return load_network(name);
}

/// Node and link counts of the Clos before it is made.
bool small_enough(const Shape& s, Reader& top) {
  const std::int64_t per_unit = s.clos.rails ? s.domains.per_domain : 1;
  const std::int64_t leaves = s.domains.domains / s.clos.domains_per_leaf * per_unit;
  const std::int64_t links = 2 * (leaves * s.clos.spines + s.clos.pods * s.clos.cores) +
                             4 * s.domains.domains * s.domains.per_domain;
  const std::int64_t nodes = leaves + s.clos.pods * s.clos.spines + s.clos.cores +
                             3 * s.domains.domains * s.domains.per_domain;
  if (nodes <= kMostNodes && links <= kMostLinks) return true;
  top.problem("", fmt::format("{} nodes and {} links, at most {} and {}", nodes, links, kMostNodes,
                              kMostLinks));
  return false;
}

NetworkGraph make_graph(TopologyKind kind, const Shape& s) {
  switch (kind) {
    case TopologyKind::nvlink_domain:
      return hw::nvlink_domain(s.domains);
    case TopologyKind::fat_tree:
    case TopologyKind::leaf_spine:
    case TopologyKind::rail_optimised:
      return clos(s.domains, s.clos);
    case TopologyKind::dragonfly:
      return hw::dragonfly(s.domains, s.dragonfly);
    case TopologyKind::torus:
      return hw::torus(s.torus);
  }
  FORERUN_ASSERT(false, "a topology without a kind");
}

Shape read_shape(Reader& top, SourcedReader& f, const Topology& t, const Problems& problems) {
  Shape s;
  if (t.network) {
    const Network& n = *t.network;
    s.domains = {1, n.domain, n.scale_up, n.inside->hop, n.network, {}};
  }
  if (t.kind != TopologyKind::nvlink_domain) s.domains.hop = s.torus.hop = f.seconds("hop");
  if (t.kind == TopologyKind::leaf_spine || t.kind == TopologyKind::rail_optimised) {
    s.clos.rails = t.kind == TopologyKind::rail_optimised;
    read_clos(top, f, s, problems);
  }
  if (t.kind == TopologyKind::fat_tree) read_fat_tree(top, f, s, problems);
  if (t.kind == TopologyKind::dragonfly) read_dragonfly(top, f, s, problems);
  if (t.kind == TopologyKind::torus) read_torus(top, f, s, problems);
  return s;
}

}  // namespace

std::string_view name(TopologyKind kind) { return name_in(kKinds, kind); }

std::optional<Topology> read_topology(const JsonDocument& document, Problems& problems) {
  const std::size_t before = problems.list().size();
  Reader top = document.root(problems);
  Topology t;
  SourcedReader f(top, t.evidence, t.source);
  top.integer("schema", 1, 1);
  t.name = top.text("name");
  t.what = top.text("what");
  t.kind = top.choice("kind", kKinds);
  if (t.kind != TopologyKind::torus) t.network = read_profile(top);
  const Shape shape = read_shape(top, f, t, problems);
  if (top.has("paths")) t.paths = f.integer("paths", 1, 256);
  if (top.has("failed")) t.failed = top.texts("failed");
  std::vector<Reader> degraded, jobs;
  if (top.has("degraded")) degraded = top.objects("degraded");
  for (Reader& r : degraded) {
    DegradedLink& d = t.degraded.emplace_back();
    d.name = r.text("name");
    d.keeps = r.number("keeps", 1e-3, 1);
    r.finish();
  }
  if (top.has("jobs")) jobs = top.objects("jobs");
  for (Reader& r : jobs) t.jobs.push_back(read_network_job(r));
  top.finish();
  if (problems.list().size() != before || !small_enough(shape, top)) return std::nullopt;
  t.graph = make_graph(t.kind, shape);
  if (!t.failed.empty() || !t.degraded.empty()) t.intact = t.graph;
  for (const std::string& name : t.failed) {
    const std::vector<LinkId> links = t.graph.links_named(name);
    if (links.empty()) {
      top.problem("failed",
                  fmt::format("no node or link is named {}{}", name, t.graph.nearest_name(name)));
    }
    t.graph.fail(links);
  }
  for (std::size_t i = 0; i < degraded.size(); ++i) {
    const std::vector<LinkId> links = t.graph.links_named(t.degraded[i].name);
    if (links.empty()) {
      degraded[i].problem("name", fmt::format("no node or link is named {}{}", t.degraded[i].name,
                                              t.graph.nearest_name(t.degraded[i].name)));
    }
    t.graph.degrade(links, t.degraded[i].keeps);
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) check_network_job(jobs[i], t.jobs[i], t.graph);
  if (problems.list().size() != before) return std::nullopt;
  return t;
}

std::string topology_path(const std::string& name) {
  if (std::filesystem::is_regular_file(name)) return name;
  const std::vector<std::string> names = topology_names();
  if (std::find(names.begin(), names.end(), name) != names.end()) {
    return data_path(fmt::format("{}/{}.json", kFolder, name));
  }
  throw Error(ExitCode::wrong, fmt::format("there is no file or topology {}", name),
              did_you_mean(name, names, fmt::format("there are: {}", fmt::join(names, ", "))));
}

std::vector<std::string> topology_names() { return data_names(kFolder); }

}  // namespace forerun::hw
