#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/load.h"
#include "cli/report.h"
#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "hw/accelerator.h"
#include "hw/cloud.h"
#include "hw/collective.h"
#include "hw/probe/measurement_file.h"
#include "hw/reliability.h"
#include "hw/site.h"
#include "hw/stragglers.h"
#include "hw/topology.h"
#include "models/architecture.h"
#include "models/loss/law.h"
#include "sim/error_band.h"
#include "sim/framework.h"
#include "sim/published_row.h"
#include "sim/scenario.h"
#include "sim/sweep/sweep.h"

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

constexpr std::array kKinds =
    {
        Kind{"plan", "scenario", check_scenario_file},
        Kind{"designs", "sweep",
             [](const std::string& text, Problems& p) { (void)sim::read_sweep(text, p); }},
        Kind{"peak", "accelerator profile",
             [](const std::string& text, Problems& p) { (void)hw::read_accelerator(text, p); }},
        Kind{"offers", "cloud",
             [](const std::string& text, Problems& p) { (void)hw::read_cloud(text, p); }},
        Kind{"where", "site",
             [](const std::string& text, Problems& p) { (void)hw::read_site(text, p); }},
        Kind{"scale_up_profile", "network profile",
             [](const std::string& text, Problems& p) { (void)hw::read_network(text, p); }},
        Kind{"curves", "scale-up profile",
             [](const std::string& text, Problems& p) { (void)hw::read_scale_up(text, p); }},
        // After scale-up profiles, which have a hop too.
        Kind{"hop", "topology",
             [](const std::string& text, Problems& p) {
               const JsonDocument document = JsonDocument::parse(text, p);
               (void)hw::read_topology(document, p);
             }},
        Kind{"layer_division", "framework preset",
             [](const std::string& text, Problems& p) { (void)sim::read_framework(text, p); }},
        Kind{"constants", "loss law",
             [](const std::string& text, Problems& p) { (void)models::read_law(text, p); }},
        Kind{"elapsed_s", "probe measurements",
             [](const std::string& text, Problems& p) {
               (void)hw::read_probe_measurements(text, p);
             }},
        Kind{"bands", "error bands",
             [](const std::string& text, Problems& p) { (void)sim::read_error_bands(text, p); }},
        // A law has constants, a fleet's stragglers none of the keys above.
        Kind{"causes", "reliability or straggler profile",
             [](const std::string& text, Problems& p) {
               Problems ignored;
               const bool rates = hw::read_reliability(text, ignored).has_value();
               Problems other;
               if (!rates && hw::read_stragglers(text, other)) return;
               (void)hw::read_reliability(text, p);
             }},
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
  if (read + others == 0 && problems.empty()) problems.add("", "no rows");
  return others == 0
             ? fmt::format("{} published rows", read)
             : fmt::format("{} published rows, {} of kinds that are not modelled", read, others);
}

struct Checked {
  std::string path;
  std::string what;  ///< its kind; empty where that can't be told
  Problems problems;
};

/// A file that is not there is that file's problem: the others are checked all the same.
Checked check_file(const std::string& argument) {
  Checked file{argument, {}, {}};
  try {
    file.path = scenario_path(argument);
    const std::string text = read_file(file.path, kMaxJsonBytes);
    if (file.path.ends_with(".jsonl")) {
      file.what = check_rows(text, file.problems);
    } else {
      check_json(text, file.what, file.problems);
    }
  } catch (const Error& e) {
    const std::string hint = e.hint().empty() ? "" : fmt::format(" ({})", e.hint());
    file.problems.add("", e.what() + hint);
  }
  return file;
}

void write_checked(JsonWriter& json, const Checked& file) {
  json.begin_object().key("file").value(file.path).key("kind");
  if (file.what.empty()) {
    json.null();
  } else {
    json.value(file.what);
  }
  json.key("right").value(file.problems.empty()).key("problems").begin_array();
  for (const Problem& p : file.problems.list()) {
    json.begin_object().key("where").value(p.where).key("what").value(p.what).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

int check(const Options& o) {
  std::string right;
  bool wrong = false;
  JsonWriter json;
  json.begin_object().key("files").begin_array();
  for (const std::string& argument : o.arguments) {
    const Checked file = check_file(argument);
    if (file.problems.empty()) {
      right += fmt::format("{}: {}\n", file.path, file.what);
    } else {
      wrong = true;
      fmt::print(stderr, "{}", file.problems.text(file.path));
    }
    write_checked(json, file);
  }
  json.end_array().end_object();
  deliver(o, right, json);
  return static_cast<int>(wrong ? ExitCode::wrong : ExitCode::done);
}

}  // namespace forerun::cli
