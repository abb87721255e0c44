#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/load.h"
#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "hw/accelerator.h"
#include "hw/collective.h"
#include "models/architecture.h"
#include "models/loss/chinchilla.h"
#include "sim/error_band.h"
#include "sim/framework.h"
#include "sim/published_row.h"
#include "sim/scenario.h"

namespace forerun::cli {
namespace {

/// What a JSON file is, by a key that only its kind has.
struct Kind {
  std::string_view key, name;
  void (*check)(const std::string& text, Problems&);
};

void check_scenario_file(const std::string& text, Problems& problems) {
  const JsonDocument document = JsonDocument::parse(text, problems);
  (void)sim::read_scenario(document, problems);
}

void check_model(const std::string& text, Problems& problems) {
  const JsonDocument document = JsonDocument::parse(text, problems);
  Reader top = document.root(problems);
  (void)models::read_architecture(top);
}

constexpr std::array kKinds = {
    Kind{"plan", "scenario", check_scenario_file},
    Kind{"peak", "accelerator profile",
         [](const std::string& text, Problems& p) { (void)hw::read_accelerator(text, p); }},
    Kind{"scale_up_profile", "network profile",
         [](const std::string& text, Problems& p) { (void)hw::read_network(text, p); }},
    Kind{"curves", "scale-up profile",
         [](const std::string& text, Problems& p) { (void)hw::read_scale_up(text, p); }},
    Kind{"layer_division", "framework preset",
         [](const std::string& text, Problems& p) { (void)sim::read_framework(text, p); }},
    Kind{"constants", "loss law",
         [](const std::string& text, Problems& p) { (void)models::read_chinchilla(text, p); }},
    Kind{"bands", "error bands",
         [](const std::string& text, Problems& p) { (void)sim::read_error_bands(text, p); }},
    Kind{"vocab", "model", check_model}};

/// Null if the file has no key that tells.
const Kind* kind_of(const std::string& text) {
  Problems ignored;
  const JsonDocument document = JsonDocument::parse(text, ignored);
  // What can't be read at all, or has some of a scenario's parts, is told as a scenario's problem.
  if (!ignored.empty()) return &kKinds.front();
  const Reader top = document.root(ignored);
  for (const Kind& kind : kKinds) {
    if (top.has(kind.key)) return &kind;
  }
  return top.has("model") || top.has("cluster") ? &kKinds.front() : nullptr;
}

void check_json(const std::string& text, std::string& what, Problems& problems) {
  const Kind* kind = kind_of(text);
  if (kind != nullptr) {
    what = kind->name;
    kind->check(text, problems);
    return;
  }
  std::vector<std::string_view> names;
  for (const Kind& known : kKinds) names.push_back(known.name);
  problems.add("", fmt::format("none of the files that are checked by themselves: {}",
                               fmt::join(names, ", ")));
}

/// Rows of models that are not simulated at all are counted; other refusals are problems.
std::string check_rows(const std::string& text, Problems& problems) {
  sim::PublishedRowReader reader;
  std::istringstream lines(text);
  std::string line;
  std::size_t number = 0, read = 0, others = 0;
  while (std::getline(lines, line)) {
    ++number;
    if (line.empty()) continue;
    const auto row = reader.read(line);
    const auto* refused = std::get_if<sim::RefusedRow>(&row);
    if (refused != nullptr && refused->out_of_scope) {
      ++others;
    } else if (refused != nullptr) {
      problems.add(
          fmt::format("line {}", number),
          fmt::format("{}: {}", refused->id.empty() ? "no id" : refused->id, refused->reason));
    } else {
      ++read;
    }
  }
  return others == 0
             ? fmt::format("{} published rows", read)
             : fmt::format("{} published rows, {} of kinds that are not modelled", read, others);
}

}  // namespace

int check(const Options& o) {
  bool wrong = false;
  for (const std::string& argument : o.arguments) {
    Problems problems;
    std::string what;
    const std::string path = scenario_path(argument);
    const std::string text = read_file(path, kMaxJsonBytes);
    if (path.ends_with(".jsonl")) {
      what = check_rows(text, problems);
    } else {
      check_json(text, what, problems);
    }
    if (problems.empty()) {
      fmt::print("{}: {}\n", path, what);
    } else {
      wrong = true;
      fmt::print(stderr, "{}", problems.text(path));
    }
  }
  return static_cast<int>(wrong ? ExitCode::wrong : ExitCode::done);
}

}  // namespace forerun::cli
