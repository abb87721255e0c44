#include "models/import/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/json_writer.h"
#include "core/reader.h"
#include "models/import/config_reader.h"
#include "models/import/families.h"

namespace forerun::models {
namespace {

std::vector<ConfigFamily> families() {
  std::vector<ConfigFamily> all = dense_families();
  for (const ConfigFamily& f : expert_families()) all.push_back(f);
  for (const ConfigFamily& f : nested_families()) all.push_back(f);
  return all;
}

const ConfigFamily* find(const std::vector<ConfigFamily>& all, std::string_view type) {
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const ConfigFamily& f) { return f.model_type == type; });
  return found == all.end() ? nullptr : &*found;
}

void report_unknown(ConfigReader& top, std::string_view key, const std::string& type,
                    const std::vector<ConfigFamily>& all) {
  std::vector<std::string_view> names;
  for (const ConfigFamily& f : all) names.push_back(f.model_type);
  top.problem(key,
              fmt::format("\"{}\" is no model type that is known: {}", type,
                          did_you_mean(type, names, fmt::format("{}", fmt::join(names, ", ")))));
}

/// A shape that breaks a rule of architectures is the file's problem.
void check_shape(const Architecture& a, Problems& problems) {
  Problems shape;
  const JsonDocument document = JsonDocument::parse(zoo_json(a), shape);
  Reader root = document.root(shape);
  static_cast<void>(read_architecture(root));
  for (const Problem& p : shape.list()) problems.add("as an architecture, " + p.where, p.what);
}

template <class Value, class Show>
std::string map_json(const std::map<std::string, Value>& map, Show show) {
  std::vector<std::string> items;
  for (const auto& [key, value] : map) {
    items.push_back(fmt::format("    {}: {}", json_quoted(key), json_quoted(show(value))));
  }
  return fmt::format("{{\n{}\n  }}", fmt::join(items, ",\n"));
}

}  // namespace

std::optional<ImportedModel> import_config(std::string_view text, const std::string& name,
                                           const std::string& origin, Problems& problems) {
  const JsonDocument document = JsonDocument::parse(text, problems);
  if (!document.readable()) return std::nullopt;
  ConfigReader top(document.root(problems));
  // MindSpeed-MM's files have a model_id instead.
  const char* const key = !top.has("model_type") && top.has("model_id") ? "model_id" : "model_type";
  ImportedModel out;
  out.model_type = top.text(key);
  const std::vector<ConfigFamily> all = families();
  const ConfigFamily* family = find(all, out.model_type);
  if (!problems.empty()) return std::nullopt;
  if (family == nullptr) {
    report_unknown(top, key, out.model_type, all);
    return std::nullopt;
  }
  Architecture& a = out.architecture;
  a.name = name;
  a.source["all"] = fmt::format("{} (model_type {})", origin, out.model_type);
  family->read(top, a);
  if (!problems.empty()) return std::nullopt;
  check_shape(a, problems);
  if (!problems.empty()) return std::nullopt;
  out.notes = top.notes();
  out.ignored = top.ignored();
  return out;
}

std::string zoo_json(const Architecture& a) {
  const std::string flat = architecture_json(a);
  // A new line before each field of the outermost object.
  std::string out = "{\n  ";
  int depth = 1;
  bool quoted = false;
  for (std::size_t i = 1; i + 1 < flat.size(); ++i) {
    const char c = flat[i];
    if (quoted && c == '\\') {
      out += c;
      out += flat[++i];
      continue;
    }
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '{' || c == '[')) ++depth;
    if (!quoted && (c == '}' || c == ']')) --depth;
    if (!quoted && c == ',' && depth == 1) {
      out += ",\n  ";
      ++i;  // the blank after it
      continue;
    }
    out += c;
  }
  if (!a.evidence.empty()) {
    out += ",\n  \"evidence\": " +
           map_json(a.evidence, [](Evidence e) { return std::string(name(e)); });
  }
  if (!a.source.empty()) {
    out += ",\n  \"source\": " + map_json(a.source, [](const std::string& s) { return s; });
  }
  return out + "\n}\n";
}

}  // namespace forerun::models
