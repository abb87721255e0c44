// A scenario as the text that read_scenario reads back.

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/json_writer.h"
#include "sim/plan_json.h"
#include "sim/scenario.h"
#include "sim/scenario_network.h"

namespace forerun::sim {
namespace {

std::string price_json(DollarRate price, const std::string& source) {
  return fmt::format("\"price\": {{\"accelerator_hour\": \"{} USD/h\", \"source\": {}}}",
                     price.in(1.0_usd_per_h), json_quoted(source));
}

std::string accelerator_json(const hw::Accelerator& a, const ProfileFiles& files) {
  return json_quoted(files.accelerator.empty() ? a.name : files.accelerator);
}

std::string pools_json(const Scenario& s) {
  std::vector<std::string> pools;
  for (const Pool& p : s.pools) {
    pools.push_back(fmt::format("{{\"first_stage\": {}, \"accelerator\": {}, \"network\": {}{}}}",
                                p.first_stage, accelerator_json(p.accelerator, p.files),
                                analytic_network_json(p.network, p.files.network),
                                p.price ? ", " + price_json(*p.price, p.price_source) : ""));
  }
  return pools.empty() ? "" : fmt::format(", \"pools\": [{}]", fmt::join(pools, ", "));
}

}  // namespace

std::string scenario_json(const Scenario& s) {
  std::vector<std::string> lines = {"\"schema\": 1", "\"name\": " + json_quoted(s.name)};
  if (!s.description.empty()) lines.push_back("\"description\": " + json_quoted(s.description));
  lines.push_back("\"model\": " + models::architecture_json(s.model));
  lines.push_back(fmt::format(
      "\"cluster\": {{\"accelerator\": {}, \"accelerators\": {}, \"network\": {}{}{}}}",
      accelerator_json(s.accelerator, s.profile_files), s.accelerators, network_choice_json(s),
      pools_json(s),
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
  if (s.recipe != models::default_recipe()) {
    lines.push_back("\"recipe\": " + models::recipe_json(s.recipe));
  }
  if (!s.loss.empty()) lines.push_back("\"loss\": " + loss_section_json(s.loss));
  if (s.operations != default_operations()) {
    lines.push_back("\"operations\": " + operations_json(s.operations));
  }
  if (!s.cost.empty()) lines.push_back("\"cost\": " + cost_section_json(s.cost));
  if (s.price && !s.cost.rent) {
    lines.push_back(price_json(*s.price, s.price_source));
  }
  const Published& p = s.published;
  if (p.step_time || p.memory || p.accelerator_hours) {
    std::vector<std::string> parts;
    if (p.step_time) parts.push_back(fmt::format("\"step_time\": \"{} s\"", p.step_time->base()));
    if (p.memory) parts.push_back(fmt::format("\"memory\": \"{} B\"", p.memory->base()));
    if (p.accelerator_hours) {
      parts.push_back(fmt::format("\"accelerator_hours\": {}", *p.accelerator_hours));
    }
    parts.push_back("\"source\": " + json_quoted(p.source));
    lines.push_back(fmt::format("\"published\": {{{}}}", fmt::join(parts, ", ")));
  }
  lines.push_back(fmt::format("\"seed\": {}", s.seed));
  return fmt::format("{{\n  {}\n}}\n", fmt::join(lines, ",\n  "));
}

}  // namespace forerun::sim
