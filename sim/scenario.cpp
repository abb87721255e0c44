#include "sim/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>

#include "core/error.h"
#include "hw/topology.h"
#include "sim/plan_json.h"
#include "sim/scenario_modalities.h"

namespace forerun::sim {
namespace {

constexpr std::int64_t kMostAccelerators = 1 << 24;
constexpr double kMostTokens = 1e18;
constexpr std::int64_t kMostDomain = 1 << 20;
/// True if `name` is one of `names`; else a problem with the nearest.
bool known(Reader& at, std::string_view key, const std::string& name,
           const std::vector<std::string>& names, std::string_view what) {
  if (std::find(names.begin(), names.end(), name) != names.end()) return true;
  if (name.empty()) return false;
  const std::string near = nearest(name, {names.begin(), names.end()});
  at.problem(key,
             near.empty()
                 ? fmt::format("\"{}\" is no {}; there are {}", name, what, fmt::join(names, ", "))
                 : fmt::format("\"{}\" is no {}: did you mean {}?", name, what, near));
  return false;
}

enum class Fidelity : std::uint8_t { analytic, flow };
constexpr std::array kFidelities = {Choice<Fidelity>{"analytic", Fidelity::analytic},
                                    Choice<Fidelity>{"flow", Fidelity::flow}};

/// {"topology": "llama3-roce-24k", "fidelity": "flow", "beside": [...]}: a graph, on which
/// exchanges share links unless the fidelity is another, beside other jobs' collectives.
void read_network_graph(Reader& at, Scenario& s) {
  const std::string name = at.text("topology");
  const Fidelity fidelity =
      at.has("fidelity") ? at.choice<Fidelity>("fidelity", kFidelities) : Fidelity::flow;
  std::vector<Reader> beside;
  if (at.has("beside")) beside = at.objects("beside");
  for (Reader& job : beside) s.beside.push_back(hw::read_network_job(job));
  if (fidelity == Fidelity::analytic && !beside.empty()) {
    at.problem("beside", "other jobs' traffic needs the fidelity \"flow\"");
  }
  const bool is_file = !name.empty() && std::filesystem::is_regular_file(name);
  if (!is_file && !known(at, "topology", name, hw::topology_names(), "topology")) return;
  Problems problems;
  const std::string path = hw::topology_path(name);
  std::optional<hw::Topology> topology =
      hw::read_topology(JsonDocument::load(path, problems), problems);
  if (!topology) {
    at.problem("topology", fmt::format("{} is wrong:\n{}", path, problems.text(path)));
    return;
  }
  if (!topology->network) {
    at.problem(
        "topology",
        fmt::format("{} has no network profile, which prices what one exchange takes", name));
    return;
  }
  s.network = *topology->network;
  for (std::size_t i = 0; i < beside.size(); ++i) {
    hw::check_network_job(beside[i], s.beside[i], topology->graph);
  }
  if (fidelity == Fidelity::analytic) return;
  s.topology_name = name;
  s.topology = std::make_shared<const hw::Topology>(std::move(*topology));
}

/// {"name": "dgx-h100"}, or {"domain": 8, "per_node": 8, "network": "400 Gb/s"} where only that is
/// known; a missing "network" is the generation's usual NIC.
hw::Network read_network_choice(Reader at, const std::string& accelerator) {
  hw::Network network;
  if (at.has("name")) {
    const std::string name = at.text("name");
    if (known(at, "name", name, hw::network_names(), "network profile")) {
      network = hw::load_network(name);
    }
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

void read_cluster(Reader at, Scenario& s) {
  const std::string name = at.text("accelerator");
  const bool found = known(at, "accelerator", name, hw::accelerator_names(), "accelerator profile");
  if (found) s.accelerator = hw::load_accelerator(name);
  s.accelerators = at.integer("accelerators", 1, kMostAccelerators);
  Reader network = at.object("network");
  if (network.has("topology")) {
    read_network_graph(network, s);
    network.finish();
  } else {
    s.network = read_network_choice(network, found ? name : std::string{});
  }
  if (at.has("power_cap")) {
    const Watts cap = at.watts("power_cap");
    const hw::PowerModel& board = s.accelerator.power;
    if (found && (cap <= board.idle || cap > board.cap)) {
      at.problem("power_cap",
                 fmt::format("{:.0f} W: must be above the {:.0f} W that the board draws "
                             "idle and at most its own cap, {:.0f} W",
                             cap.base(), board.idle.base(), board.cap.base()));
    }
    cap_power(s, cap, "the scenario");
  }
  at.finish();
}

template <class Quantity>
Quantity above_zero(Reader& at, std::string_view key, Quantity value) {
  if (value <= Quantity{}) at.problem(key, "must be above 0");
  return value;
}

void read_published(Reader at, Published& p) {
  if (at.has("step_time")) p.step_time = above_zero(at, "step_time", at.seconds("step_time"));
  if (at.has("memory")) p.memory = above_zero(at, "memory", at.bytes("memory"));
  p.source = at.text("source");
  at.finish();
}

void read_price(Reader at, Scenario& s) {
  s.price = at.dollar_rate("accelerator_hour");
  s.price_source = at.text("source");
  at.finish();
}

}  // namespace

void cap_power(Scenario& s, Watts cap, std::string source) {
  s.power_cap = cap;
  s.accelerator.power.cap = cap;
  s.accelerator.evidence["power.cap"] = Evidence::derived;
  s.accelerator.source["power.cap"] = std::move(source);
}

std::optional<Scenario> read_scenario(const JsonDocument& document, Problems& problems) {
  if (!document.readable()) return std::nullopt;
  Reader top = document.root(problems);
  Scenario s;
  top.integer("schema", 1, 1);
  s.name = top.text("name");
  if (top.has("description")) s.description = top.text("description");
  Reader model = top.object("model");
  s.model = models::read_architecture(model);
  read_cluster(top.object("cluster"), s);
  Reader plan = top.object("plan");
  s.plan = read_plan(plan);
  read_modalities(top, s);
  if (top.has("expert_loads")) {
    Reader loads = top.object("expert_loads");
    s.expert_loads = read_expert_loads(loads);
  }
  Reader framework = top.object("framework");
  s.framework = read_framework_choice(framework);
  if (top.has("training_tokens")) {
    s.training_tokens = top.number("training_tokens", 1.0, kMostTokens);
  }
  if (top.has("price")) read_price(top.object("price"), s);
  if (top.has("published")) read_published(top.object("published"), s.published);
  if (top.has("seed")) {
    s.seed = static_cast<std::uint64_t>(
        top.integer("seed", 0, std::numeric_limits<std::int64_t>::max()));
  }
  top.finish();
  // Rules across fields would only repeat what is wrong with the fields themselves.
  if (problems.empty()) check_scenario(s, problems);
  if (!problems.empty()) return std::nullopt;
  assume_recorded(s);
  if (s.plan.activation_offload_layers > 0) {
    s.assumptions.emplace_back(
        "copies of offloaded activations run beside the passes and take no time");
  }
  return s;
}

}  // namespace forerun::sim
