#include "models/loss/chinchilla.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "core/sourced_reader.h"

namespace forerun::models {
namespace {

double constant(SourcedReader& constants, const std::string& key, double most) {
  return constants.field(key, [&](Reader& r) {
    if (r.has("standard_error")) r.number("standard_error", 0.0, most);
    return r.number("value", 0.0, most);
  });
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
  SourcedReader sourced(constants, law.evidence, law.source);
  law.floor = constant(sourced, "E", 100.0);
  law.a = constant(sourced, "A", 1e9);
  law.b = constant(sourced, "B", 1e9);
  law.alpha = constant(sourced, "alpha", 2.0);
  law.beta = constant(sourced, "beta", 2.0);
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
  const std::vector<std::string> names = data_names("models/laws");
  if (!std::ranges::binary_search(names, name)) {
    throw Error(ExitCode::wrong, fmt::format("there is no loss law \"{}\"", name),
                did_you_mean(name, names, fmt::format("there are {}", fmt::join(names, ", "))));
  }
  const std::string path = data_path("models/laws/" + name + ".json");
  Problems problems;
  return value_or_throw(read_chinchilla(read_file(path, kMaxJsonBytes), problems), problems, path);
}

}  // namespace forerun::models
