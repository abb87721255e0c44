#include "cli/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"

namespace forerun::cli {

void refuse(const std::string& file, const Problems& problems) {
  const std::size_t count = problems.list().size();
  std::string lines = problems.text(file);
  while (lines.ends_with('\n')) lines.pop_back();
  throw Error(ExitCode::wrong,
              count == 1 ? lines : fmt::format("{} has {} problems\n{}", file, count, lines));
}

void set_values(JsonDocument& document, const std::vector<std::string>& set, Problems& problems) {
  for (const std::string& one : set) {
    const std::size_t equals = one.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(ExitCode::usage, fmt::format("--set {}: expected PATH=VALUE", one),
                  "for example --set plan.tensor=4");
    }
    document.set(one.substr(0, equals), one.substr(equals + 1), problems);
  }
}

std::vector<std::string> scenario_names() { return data_names("scenarios"); }

std::string scenario_path(const std::string& name) {
  std::error_code ignored;
  const bool looks_like_name = name.find('/') == std::string::npos && !name.ends_with(".json");
  if (std::filesystem::exists(name, ignored) || !looks_like_name) return name;
  const std::vector<std::string> names = scenario_names();
  if (std::find(names.begin(), names.end(), name) != names.end()) {
    return data_path("scenarios/" + name + ".json");
  }
  throw Error(ExitCode::wrong,
              fmt::format("there is no file and no scenario of the name \"{}\"", name),
              did_you_mean(name, names, "forerun list scenarios names them all"));
}

namespace {

/// The scenario's text after all edits, and what its hash is of.
JsonDocument edited_document(const Options& options, const std::vector<std::string>& more,
                             std::string& identity, Problems& problems) {
  identity = read_file(scenario_path(options.arguments.front()), kMaxJsonBytes);
  JsonDocument document = JsonDocument::parse(identity, problems);
  if (!problems.empty()) return document;
  for (const auto* edits : {&options.set, &more}) {
    set_values(document, *edits, problems);
    for (const std::string& set : *edits) identity += fmt::format("\n--set {}", set);
  }
  return document;
}

void identify(const Options& options, std::string identity, sim::Scenario& scenario) {
  if (options.seed) {
    scenario.seed = *options.seed;
    identity += fmt::format("\n--seed {}", *options.seed);
  }
  if (scenario.mixture && scenario.mixture->recording) {
    identity += fmt::format("\nrecording {:016x}", scenario.mixture->recording->hash);
  }
  for (const sim::Pool& pool : scenario.pools) {
    if (pool.files.hash != 0) identity += fmt::format("\nprofiles {:016x}", pool.files.hash);
  }
  if (scenario.profile_files.hash != 0) {
    identity += fmt::format("\nprofiles {:016x}", scenario.profile_files.hash);
  }
  for (const std::string& law : {scenario.loss.law, scenario.loss.schedule}) {
    // Others come with forerun.
    if (law.ends_with(".json")) identity += "\nlaw " + read_file(law, kMaxJsonBytes);
  }
  scenario.hash = hash_text(identity);
}

}  // namespace

sim::Scenario load_scenario(const Options& options) {
  Problems problems;
  std::string identity;
  const JsonDocument document = edited_document(options, {}, identity, problems);
  std::optional<sim::Scenario> scenario = sim::read_scenario(document, problems);
  if (!scenario) refuse(scenario_path(options.arguments.front()), problems);
  identify(options, std::move(identity), *scenario);
  return *std::move(scenario);
}

std::optional<sim::Scenario> load_unplanned(const Options& options,
                                            const std::vector<std::string>& more,
                                            Problems& problems) {
  std::string identity;
  const JsonDocument document = edited_document(options, more, identity, problems);
  std::optional<sim::Scenario> scenario = sim::read_unplanned_scenario(document, problems);
  if (!scenario) return scenario;
  // Rules that no other plan can keep either.
  Problems broken;
  sim::check_scenario(*scenario, broken);
  for (const Problem& p : broken.list()) {
    if (!p.where.starts_with("/plan") && !p.where.starts_with("/cluster")) {
      problems.add(p.where, p.what);
    }
  }
  if (!problems.empty()) return std::nullopt;
  identify(options, std::move(identity), *scenario);
  return scenario;
}

}  // namespace forerun::cli
