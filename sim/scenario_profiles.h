#pragma once

/// Profiles that a scenario names: those that come with forerun by their names, others (such as
/// `forerun calibrate` makes) by their files. Part of read_scenario.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/reader.h"
#include "hw/accelerator.h"
#include "hw/collective.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// True if `name` is one of `names`; else a problem with the nearest.
[[nodiscard]] bool known_name(Reader& at, std::string_view key, const std::string& name,
                              const std::vector<std::string>& names, std::string_view what);

/// Reads `key`; what is wrong with a file is reported there.
[[nodiscard]] std::optional<hw::Accelerator> read_accelerator_choice(Reader& at,
                                                                     std::string_view key,
                                                                     ProfileFiles&);
[[nodiscard]] std::optional<hw::Network> read_network_profile(Reader& at, std::string_view key,
                                                              ProfileFiles&);

}  // namespace forerun::sim
