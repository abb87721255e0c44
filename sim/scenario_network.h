#pragma once

/// What a scenario says of its network: a profile, a few numbers, or a graph. Part of read_scenario
/// and scenario_json.

#include <string>
#include <string_view>
#include <vector>

#include "core/reader.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// {"name": "dgx-h100"}, or {"domain": 8, "per_node": 8, "network": "400 Gb/s"} where only that is
/// known; a missing "network" is the generation's usual NIC.
[[nodiscard]] hw::Network read_analytic_network(Reader at, const std::string& accelerator,
                                                ProfileFiles&);
[[nodiscard]] std::string analytic_network_json(const hw::Network&, const std::string& file);
/// Reads and finishes "network"; `accelerator`: whose usual network stands for what is not told,
/// empty if it is not known.
void read_network_choice(Reader at, const std::string& accelerator, Scenario&);
/// The text that read_network_choice reads back.
[[nodiscard]] std::string network_choice_json(const Scenario&);

}  // namespace forerun::sim
