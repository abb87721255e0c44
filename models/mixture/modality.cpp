#include "models/mixture/modality.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/file.h"

namespace forerun::models {
namespace {

constexpr std::array kObjectives = {Choice<Objective>{"next_token", Objective::next_token},
                                    Choice<Objective>{"diffusion", Objective::diffusion},
                                    Choice<Objective>{"none", Objective::none}};

/// {"value", "evidence", "source"} of one fact.
template <class Read>
auto fact(Reader& top, Modality& m, const std::string& key, Read read) {
  Reader r = top.object(key);
  auto value = read(r);
  m.evidence[key] = r.evidence("evidence");
  m.source[key] = r.text("source");
  r.finish();
  return value;
}

}  // namespace

std::vector<std::string> modality_names() { return data_names("models/modalities"); }

Modality load_modality(const std::string& name) {
  const std::vector<std::string> names = modality_names();
  if (!std::ranges::binary_search(names, name)) {
    throw Error(ExitCode::wrong, fmt::format("there is no modality \"{}\"", name),
                did_you_mean(name, names, fmt::format("there are {}", fmt::join(names, ", "))));
  }
  const std::string path = data_path("models/modalities/" + name + ".json");
  Problems problems;
  const JsonDocument document = JsonDocument::load(path, problems);
  Reader top = document.root(problems);
  top.integer("schema", 1, 1);
  Modality m;
  m.name = top.text("name");
  top.text("what");
  m.item = fact(top, m, "item", [](Reader& r) { return r.text("value"); });
  m.tokens_per_item =
      fact(top, m, "tokens_per_item", [](Reader& r) { return r.number("value", 1e-3, 1e9); });
  m.vocabulary =
      fact(top, m, "vocabulary", [](Reader& r) { return r.integer("value", 0, 1 << 24); });
  m.objective = fact(top, m, "objective", [](Reader& r) { return r.choice("value", kObjectives); });
  m.mask = fact(top, m, "mask", [](Reader& r) { return r.choice("value", kSpanMasks); });
  m.continuous = fact(top, m, "continuous", [](Reader& r) { return r.boolean("value"); });
  top.finish();
  if (!problems.empty()) throw Error(ExitCode::wrong, problems.text(path));
  return m;
}

}  // namespace forerun::models
