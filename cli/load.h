#pragma once

/// Files that the commands start from.

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "sim/scenario.h"

namespace forerun::cli {

/// The scenario at the path of `options.arguments[0]`, or the one of that name in scenarios/, after
/// --set and --seed, with the hash of all that. Throws Error listing every problem.
[[nodiscard]] sim::Scenario load_scenario(const Options& options);

/// The same without the rules of plan and cluster, after more edits: for searches that make the
/// plan. Nothing, with problems, if it is wrong.
[[nodiscard]] std::optional<sim::Scenario> load_unplanned(const Options& options,
                                                          const std::vector<std::string>& more,
                                                          Problems& problems);

/// Applies --set PATH=VALUE to a document; throws Error for one of another form.
void set_values(JsonDocument&, const std::vector<std::string>& set, Problems&);

/// Throws Error with all problems of `file` in its message, one a line.
[[noreturn]] void refuse(const std::string& file, const Problems& problems);

/// The path that `name` stands for: itself if there is such a file, else scenarios/NAME.json.
[[nodiscard]] std::string scenario_path(const std::string& name);
/// Names of the scenarios that come with the program, sorted.
[[nodiscard]] std::vector<std::string> scenario_names();

}  // namespace forerun::cli
