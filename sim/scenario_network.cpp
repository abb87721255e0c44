#include "sim/scenario_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "core/file.h"
#include "core/json_writer.h"
#include "core/random.h"
#include "hw/topology.h"
#include "sim/scenario_profiles.h"

namespace forerun::sim {
namespace {

constexpr std::int64_t kMostDomain = 1 << 20;

enum class Fidelity : std::uint8_t { analytic, flow };
constexpr std::array kFidelities = {Choice<Fidelity>{"analytic", Fidelity::analytic},
                                    Choice<Fidelity>{"flow", Fidelity::flow}};

/// {"topology": "llama3-roce-24k", "fidelity": "flow", "beside": [...]}: a graph, on which
/// exchanges share links unless the fidelity is another, beside other jobs' collectives; the model
/// is on the first domains, or as {"placement": {"first": 0, "every": 2}} says on others.
void read_network_graph(Reader& at, Scenario& s) {
  const std::string name = at.text("topology");
  const Fidelity fidelity =
      at.has("fidelity") ? at.choice<Fidelity>("fidelity", kFidelities) : Fidelity::flow;
  if (at.has("placement")) {
    Reader placement = at.object("placement");
    s.placement.first = placement.integer("first", 0, hw::kMostAccelerators);
    s.placement.every = placement.integer("every", 1, hw::kMostAccelerators);
    placement.finish();
  }
  std::vector<Reader> beside;
  if (at.has("beside")) beside = at.objects("beside");
  for (Reader& job : beside) {
    if (job.has("start")) job.problem("start", "other jobs' collectives run over and over here");
    s.beside.push_back(hw::read_network_job(job));
  }
  if (fidelity == Fidelity::analytic && at.has("placement")) {
    at.problem("placement", "where the model is matters to the fidelity \"flow\" alone");
  }
  if (fidelity == Fidelity::analytic && !beside.empty()) {
    at.problem("beside", "other jobs' traffic needs the fidelity \"flow\"");
  }
  const bool is_file = !name.empty() && std::filesystem::is_regular_file(name);
  if (!is_file && !known_name(at, "topology", name, hw::topology_names(), "topology")) return;
  Problems problems;
  const std::string path = hw::topology_path(name);
  std::optional<hw::Topology> topology =
      hw::read_topology(JsonDocument::load(path, problems), problems);
  if (!topology) {
    for (const Problem& p : problems.list()) {
      at.problem("topology", fmt::format("{}: {}: {}", path, p.where, p.what));
    }
    return;
  }
  if (!topology->network) {
    at.problem(
        "topology",
        fmt::format("{} has no network profile, which prices what one exchange takes", name));
    return;
  }
  s.network = *topology->network;
  if (is_file) {
    // The accelerator may have been a file, too.
    s.profile_files.hash =
        hash_text(fmt::format("{:016x}{}", s.profile_files.hash, read_file(path, kMaxJsonBytes)));
  }
  for (std::size_t i = 0; i < beside.size(); ++i) {
    hw::check_network_job(beside[i], s.beside[i], topology->graph);
  }
  if (fidelity == Fidelity::analytic) return;
  s.topology_name = name;
  s.topology = std::make_shared<const hw::Topology>(std::move(*topology));
}

std::string job_json(const hw::NetworkJob& j) {
  return fmt::format(
      "{{\"name\": {}, \"collective\": \"{}\", \"algorithm\": \"{}\", \"bytes\": \"{} B\", "
      "\"first\": {}, \"count\": {}, \"run\": {}, \"stride\": {}, \"groups\": {}, "
      "\"group_stride\": {}}}",
      json_quoted(j.name), hw::name(j.kind),
      j.algorithm == hw::FlowAlgorithm::ring ? "ring" : "tree", j.bytes.base(), j.first, j.count,
      j.run, j.stride, j.groups, j.group_stride);
}

std::string graph_json(const Scenario& s) {
  std::vector<std::string> jobs;
  for (const hw::NetworkJob& j : s.beside) jobs.push_back(job_json(j));
  const auto& [first, every] = s.placement;
  const std::string placement =
      first == 0 && every == 1
          ? ""
          : fmt::format(", \"placement\": {{\"first\": {}, \"every\": {}}}", first, every);
  return fmt::format("{{\"topology\": {}, \"fidelity\": \"flow\"{}{}}}",
                     json_quoted(s.topology_name), placement,
                     jobs.empty() ? "" : fmt::format(", \"beside\": [{}]", fmt::join(jobs, ", ")));
}

}  // namespace

hw::Network read_analytic_network(Reader at, const std::string& accelerator, ProfileFiles& files) {
  hw::Network network;
  if (at.has("name")) {
    if (auto named = read_network_profile(at, "name", files)) network = *std::move(named);
  } else {
    const std::int64_t domain = at.integer("domain", 1, kMostDomain);
    const std::int64_t per_node = at.integer("per_node", 1, kMostDomain);
    Bandwidth out;
    if (at.has("network")) {
      out = at.bandwidth("network");
      if (out <= Bandwidth{}) {
        at.problem("network", "must be above 0; without it, it is the generation's usual NIC");
      }
    }
    if (!accelerator.empty() && domain > 0 && per_node > 0) {
      network = hw::make_network(accelerator, domain, per_node, out);
    }
  }
  at.finish();
  return network;
}

void read_network_choice(Reader at, const std::string& accelerator, Scenario& s) {
  if (at.has("topology")) {
    read_network_graph(at, s);
    at.finish();
  } else {
    s.network = read_analytic_network(std::move(at), accelerator, s.profile_files);
  }
}

std::string analytic_network_json(const hw::Network& n, const std::string& file) {
  if (!file.empty()) return fmt::format("{{\"name\": {}}}", json_quoted(file));
  const std::vector<std::string> names = hw::network_names();
  if (std::find(names.begin(), names.end(), n.name) != names.end()) {
    return fmt::format("{{\"name\": {}}}", json_quoted(n.name));
  }
  return fmt::format("{{\"domain\": {}, \"per_node\": {}, \"network\": \"{} GB/s\"}}", n.domain,
                     n.per_node, n.network.in(1.0_GBps));
}

std::string network_choice_json(const Scenario& s) {
  return s.topology ? graph_json(s) : analytic_network_json(s.network, s.profile_files.network);
}

}  // namespace forerun::sim
