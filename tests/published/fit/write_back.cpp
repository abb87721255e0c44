#include "write_back.h"

#include <fmt/format.h>

#include <cmath>

#include "core/file.h"
#include "core/json_writer.h"
#include "core/reader.h"
#include "core/table.h"
#include "fact_text.h"

namespace forerun::published {
namespace {

constexpr const char* kProgram = "tests/published/fit";

/// Four digits are enough for people and for the next reader.
double shortened(double v) { return std::round(v * 1e4) / 1e4; }

std::string path_of(const Catalogue& catalogue, const FittedFact& f) {
  return catalogue.constants[f.constant].of == Of::accelerator
             ? data_path("hw/profiles/accelerators/" + f.subject + ".json")
             : data_path("sim/frameworks/" + f.subject + ".json");
}

}  // namespace

std::vector<FittedFact> fitted_facts(Predictor& predictor, const Fit& fit) {
  const Catalogue& catalogue = predictor.catalogue();
  const Values start = start_values(catalogue);
  std::vector<FittedFact> facts;
  for (std::size_t c = 0; c < catalogue.constants.size(); ++c) {
    const Constant& constant = catalogue.constants[c];
    for (const Subject& s : catalogue.subjects) {
      if (s.of != constant.of) continue;
      const Start& from = catalogue.start(constant, s);
      FittedFact& f = facts.emplace_back();
      f.constant = c;
      f.subject = s.name;
      f.start = from.value;
      f.value = fit.values[c].at(s.name);
      f.evidence = name(from.evidence);
      f.source = fmt::format("{}; too few fitted rows feel it ({})", from.source, kProgram);
      f.rests_on = "start value";
    }
  }
  for (const Parameter& p : fit.parameters.fitted) {
    const std::string before = show_percent(mean_error(predictor, p.rows, start));
    const std::string after = show_percent(mean_error(predictor, p.rows, fit.values));
    for (FittedFact& f : facts) {
      if (f.constant != p.constant) continue;
      if (std::ranges::find(p.members, f.subject) == p.members.end()) continue;
      if (f.subject == p.owner) {
        f.evidence = "fitted";
        f.source =
            fmt::format("{}: {} groups, families {}; mean error {} -> {} (all constants)", kProgram,
                        p.groups.size(), fmt::join(p.families, ", "), before, after);
        f.rests_on = fmt::format("{} groups, {} rows", p.groups.size(), p.rows.size());
      } else {
        f.evidence = "derived";
        f.source =
            catalogue.constants[p.constant].whole_generation
                ? fmt::format("as {}: one for the generation's cores ({})", p.owner, kProgram)
                : fmt::format("as {}: fewer than {} fitted groups of its own feel it ({})", p.owner,
                              kLeastGroups, kProgram);
        f.rests_on = "as " + p.owner;
      }
    }
  }
  return facts;
}

void write_facts(const Catalogue& catalogue, const std::vector<FittedFact>& facts) {
  for (const FittedFact& f : facts) {
    const Constant& constant = catalogue.constants[f.constant];
    const std::string path = path_of(catalogue, f);
    const std::string value = constant.unit.empty()
                                  ? fmt::format("{}", f.value)
                                  : fmt::format("\"{} {}\"", f.value, constant.unit);
    const std::string text = read_file(path, kMaxJsonBytes);
    const std::string changed = with_fact(text, constant.name, value, f.evidence, f.source);
    if (changed != text) write_file(path, changed);
  }
}

std::string cross_validation_json(const CrossValidation& c) {
  JsonWriter json;
  json.begin_object().key("schema").value(std::int64_t{1});
  json.key("what").value(
      "Error of step time, predicted / measured - 1, of every published row with its model family "
      "left out of the fit; made by tests/published/fit. The interval is a 90 % bootstrap over "
      "families.");
  json.key("mean_over_groups").value(shortened(c.mean_over_groups));
  json.key("interval").begin_array().value(shortened(c.over_families.low));
  json.value(shortened(c.over_families.high)).end_array();
  json.key("groups").begin_array();
  for (const LeftOutGroup& g : c.groups) {
    json.begin_object().key("name").value(g.name).key("family").value(g.family);
    json.key("rows").value(static_cast<std::int64_t>(g.rows));
    json.key("error").value(shortened(g.error)).end_object();
  }
  json.end_array().end_object();
  return json.text();
}

}  // namespace forerun::published
