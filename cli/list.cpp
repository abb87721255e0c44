#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "cli/command.h"
#include "cli/listing.h"
#include "cli/load.h"
#include "cli/report.h"
#include "core/error.h"
#include "core/table.h"
#include "models/architecture.h"
#include "models/layers.h"
#include "models/loss/law.h"
#include "models/parameters.h"
#include "sim/framework.h"

namespace forerun::cli {
namespace {

using Align = Table::Align;

/// "dense", or what its layers have, with how many of them where not all do.
std::string kind_of(const models::Architecture& a) {
  struct Part {
    std::string_view name;
    bool (*has)(const models::Architecture&);
  };
  constexpr std::array kParts = {
      Part{"towers", [](const models::Architecture& k) { return !k.towers.list.empty(); }},
      Part{"experts", [](const models::Architecture& k) { return k.experts.has_value(); }},
      Part{"depth routing",
           [](const models::Architecture& k) { return k.depth_routing.has_value(); }},
      Part{"latent", [](const models::Architecture& k) { return k.latent_attention.has_value(); }},
      Part{"windows", [](const models::Architecture& k) { return k.window.has_value(); }},
      Part{"parallel", [](const models::Architecture& k) { return k.parallel_block; }}};
  const models::LayerKinds kinds = models::layer_kinds(a);
  std::vector<std::string> parts;
  for (const Part& part : kParts) {
    std::int64_t layers = 0;
    for (const models::Architecture& kind : kinds.kinds) layers += part.has(kind) ? kind.layers : 0;
    if (layers == a.layers) parts.emplace_back(part.name);
    if (layers > 0 && layers < a.layers) {
      parts.push_back(fmt::format("{} ({} of {})", part.name, layers, a.layers));
    }
  }
  return parts.empty() ? "dense" : fmt::format("{}", fmt::join(parts, ", "));
}

/// Families in the order of their names, sizes within by all their parameters.
std::vector<models::Architecture> models_by_family() {
  std::vector<models::Architecture> all;
  for (const std::string& name : models::architecture_names()) {
    all.push_back(models::load_architecture(name));
  }
  const auto key = [](const models::Architecture& a) {
    return std::make_tuple(a.family, models::parameters(a).total(), a.name);
  };
  std::sort(all.begin(), all.end(),
            [&](const auto& left, const auto& right) { return key(left) < key(right); });
  return all;
}

Listing models_known() {
  Listing l{"models",
            {{"family", Align::left},
             {"name", Align::left},
             {"kind", Align::left},
             {"parameters", Align::right},
             {"a token uses", Align::right},
             {"layers", Align::right},
             {"hidden", Align::right},
             {"heads", Align::right},
             {"kv", Align::right},
             {"vocabulary", Align::right}},
            {},
            true};
  for (const models::Architecture& a : models_by_family()) {
    l.rows.push_back({a.family, a.name, kind_of(a),
                      show_count(static_cast<double>(models::parameters(a).total())),
                      show_count(static_cast<double>(models::active_parameters(a).total())),
                      fmt::format("{}", a.layers), fmt::format("{}", a.hidden),
                      fmt::format("{}", a.heads), fmt::format("{}", a.kv_heads),
                      fmt::format("{}", a.vocab)});
  }
  return l;
}

Listing frameworks() {
  Listing l{"framework presets", {{"name", Align::left}, {"what", Align::left}}, {}};
  for (const std::string& name : sim::framework_names()) {
    l.rows.push_back({name, sim::load_framework(name).description});
  }
  return l;
}

Listing scenarios() {
  Listing l{"scenarios", {{"name", Align::left}, {"what", Align::left}}, {}};
  for (const std::string& name : scenario_names()) {
    Problems problems;
    const std::string path = scenario_path(name);
    const JsonDocument document = JsonDocument::load(path, problems);
    const std::optional<sim::Scenario> s = sim::read_scenario(document, problems);
    if (!s) refuse(path, problems);
    l.rows.push_back({name, s->description});
  }
  return l;
}

Listing laws() {
  Listing l{"laws",
            {{"name", Align::left},
             {"form", Align::left},
             {"evidence", Align::left},
             {"missing", Align::right},
             {"what", Align::left}},
            {}};
  for (const std::string& name : models::law_names()) {
    const models::Law law = models::load_law(name);
    l.rows.push_back({law.name, law.form, std::string(forerun::name(law.weakest_evidence())),
                      law.missing.empty() ? "" : fmt::format("{}", law.missing.size()), law.what});
  }
  return l;
}

struct Kind {
  std::string_view name;
  Listing (*make)();
};
constexpr std::array kKinds = {Kind{"profiles", list_profiles},
                               Kind{"networks", list_networks},
                               Kind{"clouds", list_clouds},
                               Kind{"sites", list_sites},
                               Kind{"reliability", list_reliability},
                               Kind{"stragglers", list_stragglers},
                               Kind{"topologies", list_topologies},
                               Kind{"models", models_known},
                               Kind{"laws", laws},
                               Kind{"frameworks", frameworks},
                               Kind{"scenarios", scenarios}};

std::vector<Kind> asked(const Options& o) {
  if (o.arguments.empty()) return {kKinds.begin(), kKinds.end()};
  std::vector<std::string_view> names;
  for (const Kind& kind : kKinds) {
    if (kind.name == o.arguments.front()) return {kind};
    names.push_back(kind.name);
  }
  throw Error(ExitCode::usage, fmt::format("nothing is listed as \"{}\"", o.arguments.front()),
              did_you_mean(o.arguments.front(), names,
                           fmt::format("there are {}", fmt::join(names, ", "))));
}

}  // namespace

int list(const Options& o) {
  std::string text;
  JsonWriter json;
  json.begin_object();
  for (const Kind& kind : asked(o)) {
    const Listing l = kind.make();
    Table table(l.columns);
    json.key(kind.name).begin_array();
    std::string group;
    for (const auto& row : l.rows) {
      std::vector<std::string> cells = row;
      if (l.grouped && row.front() == group) cells.front().clear();
      group = row.front();
      table.row(std::move(cells));
      json.begin_object();
      for (std::size_t i = 0; i < row.size(); ++i) json.key(l.columns[i].first).value(row[i]);
      json.end_object();
    }
    json.end_array();
    text += fmt::format("{}{}\n\n{}", text.empty() ? "" : "\n", l.title, table.text());
  }
  json.end_object();
  deliver(o, text, json);
  return 0;
}

}  // namespace forerun::cli
