// A scenario as the text that read_scenario reads back.

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/json_writer.h"
#include "sim/plan_json.h"
#include "sim/scenario.h"

namespace forerun::sim {
namespace {

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
  return fmt::format("{{\"topology\": {}, \"fidelity\": \"flow\"{}}}", json_quoted(s.topology_name),
                     jobs.empty() ? "" : fmt::format(", \"beside\": [{}]", fmt::join(jobs, ", ")));
}

std::string network_json(const hw::Network& n) {
  const std::vector<std::string> names = hw::network_names();
  if (std::find(names.begin(), names.end(), n.name) != names.end()) {
    return fmt::format("{{\"name\": {}}}", json_quoted(n.name));
  }
  return fmt::format("{{\"domain\": {}, \"per_node\": {}, \"network\": \"{} GB/s\"}}", n.domain,
                     n.per_node, n.network.in(1.0_GBps));
}

}  // namespace

std::string scenario_json(const Scenario& s) {
  std::vector<std::string> lines = {"\"schema\": 1", "\"name\": " + json_quoted(s.name)};
  if (!s.description.empty()) lines.push_back("\"description\": " + json_quoted(s.description));
  lines.push_back("\"model\": " + models::architecture_json(s.model));
  lines.push_back(fmt::format(
      "\"cluster\": {{\"accelerator\": {}, \"accelerators\": {}, \"network\": {}{}}}",
      json_quoted(s.accelerator.name), s.accelerators,
      s.topology ? graph_json(s) : network_json(s.network),
      s.power_cap ? fmt::format(", \"power_cap\": \"{} W\"", s.power_cap->base()) : ""));
  lines.push_back("\"plan\": " + plan_json(s.plan));
  if (s.mixture) lines.push_back("\"mixture\": " + models::mixture_json(*s.mixture));
  if (s.mean_compositions) lines.emplace_back("\"mean_compositions\": true");
  if (!s.modality_shares.empty()) {
    std::vector<std::string> shares;
    for (const ModalityShare& m : s.modality_shares) {
      shares.push_back(fmt::format("{}: {}", json_quoted(m.modality), m.share));
    }
    lines.push_back(fmt::format("\"modality_shares\": {{{}}}", fmt::join(shares, ", ")));
  }
  if (s.expert_loads.kind != LoadKind::balanced) {
    lines.push_back("\"expert_loads\": " + expert_loads_json(s.expert_loads));
  }
  lines.push_back("\"framework\": " + framework_choice_json(s.framework));
  if (s.training_tokens > 0)
    lines.push_back(fmt::format("\"training_tokens\": {}", s.training_tokens));
  if (s.price) {
    lines.push_back(fmt::format("\"price\": {{\"accelerator_hour\": \"{} USD/h\", \"source\": {}}}",
                                s.price->in(1.0_usd_per_h), json_quoted(s.price_source)));
  }
  const Published& p = s.published;
  if (p.step_time || p.memory) {
    std::vector<std::string> parts;
    if (p.step_time) parts.push_back(fmt::format("\"step_time\": \"{} s\"", p.step_time->base()));
    if (p.memory) parts.push_back(fmt::format("\"memory\": \"{} B\"", p.memory->base()));
    parts.push_back("\"source\": " + json_quoted(p.source));
    lines.push_back(fmt::format("\"published\": {{{}}}", fmt::join(parts, ", ")));
  }
  lines.push_back(fmt::format("\"seed\": {}", s.seed));
  return fmt::format("{{\n  {}\n}}\n", fmt::join(lines, ",\n  "));
}

}  // namespace forerun::sim
