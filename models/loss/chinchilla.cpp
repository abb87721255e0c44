#include "models/loss/chinchilla.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"

namespace forerun::models {
namespace {

constexpr std::array kEvidence = {
    std::pair<std::string_view, Evidence>{"measured", Evidence::measured},
    std::pair<std::string_view, Evidence>{"published", Evidence::published},
    std::pair<std::string_view, Evidence>{"fitted", Evidence::fitted},
    std::pair<std::string_view, Evidence>{"derived", Evidence::derived},
    std::pair<std::string_view, Evidence>{"assumed", Evidence::assumed}};

double constant(Reader& constants, const std::string& key, double most, ChinchillaLaw& law) {
  Reader c = constants.object(key);
  const double value = c.number("value", 0.0, most);
  if (c.has("standard_error")) c.number("standard_error", 0.0, most);
  law.evidence[key] =
      c.choice("evidence", std::span<const std::pair<std::string_view, Evidence>>(kEvidence));
  law.source[key] = c.text("source");
  c.finish();
  return value;
}

std::array<double, 2> range(Reader& domain, std::string_view key) {
  const std::vector<double> ends = domain.numbers(key, 1.0, 1e30);
  if (ends.size() == 2 && ends[0] < ends[1]) return {ends[0], ends[1]};
  domain.problem(key, "must be two rising numbers, least and most");
  return {};
}

}  // namespace

Evidence ChinchillaLaw::weakest_evidence() const {
  Evidence worst = Evidence::measured;
  for (const auto& [key, e] : evidence) worst = weakest(worst, e);
  return worst;
}

FinalLoss final_loss(const ChinchillaLaw& law, double parameters, double tokens) {
  FORERUN_ASSERT(parameters > 0 && tokens > 0,
                 fmt::format("{} parameters, {} tokens", parameters, tokens));
  FinalLoss out;
  out.by_parameters = law.a / std::pow(parameters, law.alpha);
  out.by_tokens = law.b / std::pow(tokens, law.beta);
  out.loss = law.floor + out.by_parameters + out.by_tokens;
  out.inside = parameters >= law.parameters[0] && parameters <= law.parameters[1] &&
               tokens >= law.tokens[0] && tokens <= law.tokens[1];
  return out;
}

std::optional<ChinchillaLaw> read_chinchilla(const std::string& json_text, Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  ChinchillaLaw law;
  top.integer("schema", 1, 1);
  law.name = top.text("name");
  top.text("what");
  Reader constants = top.object("constants");
  law.floor = constant(constants, "E", 100.0, law);
  law.a = constant(constants, "A", 1e9, law);
  law.b = constant(constants, "B", 1e9, law);
  law.alpha = constant(constants, "alpha", 2.0, law);
  law.beta = constant(constants, "beta", 2.0, law);
  constants.finish();
  Reader domain = top.object("domain");
  law.parameters = range(domain, "parameters");
  law.tokens = range(domain, "tokens");
  domain.text("source");
  domain.finish();
  top.finish();
  if (problems.list().size() != before) return std::nullopt;
  return law;
}

ChinchillaLaw load_chinchilla(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(data_path("models/laws"))) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const std::string near = nearest(name, {names.begin(), names.end()});
    throw Error(ExitCode::wrong, fmt::format("there is no loss law \"{}\"", name),
                near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                             : fmt::format("did you mean {}?", near));
  }
  const std::string path = data_path("models/laws/" + name + ".json");
  Problems problems;
  const std::optional<ChinchillaLaw> law =
      read_chinchilla(read_file(path, kMaxJsonBytes), problems);
  if (!law) throw Error(ExitCode::wrong, problems.text(path));
  return *law;
}

}  // namespace forerun::models
