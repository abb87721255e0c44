#include "models/stability/anchors.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "core/reader.h"
#include "models/stability/attention_logits.h"
#include "models/stability/spike_hazard.h"

namespace forerun::stability {
namespace {

StabilityCase read_run(Reader& r) {
  StabilityCase c;
  Reader architecture = r.object("architecture");
  c.architecture = models::read_architecture(architecture);
  c.parameters = r.number("parameters", 1e3, 1e15);
  c.tokens = r.number("tokens", 1, 1e18);
  c.steps = r.integer("steps", 1, 1000000000);
  c.format = r.choice("format", kTrainingFormats);
  Reader recipe = r.object("recipe");
  c.recipe = models::read_recipe(recipe);
  if (r.has("modalities")) {
    for (Reader& m : r.objects("modalities")) {
      ModalityShare share{m.text("name"), m.number("share", 0, 1), true};
      if (m.has("generated")) share.generated = m.boolean("generated");
      c.modalities.push_back(share);
      m.finish();
    }
  }
  r.finish();
  return c;
}

Anchor read_anchor(Reader& r) {
  Anchor a;
  a.name = r.text("name");
  a.measure = r.choice("measure", kMeasures);
  const std::vector<double> ends = r.numbers("published", 0, 1e9);
  if (ends.size() == 2 && ends[0] <= ends[1]) {
    a.published = {ends[0], ends[1]};
  } else {
    r.problem("published", "must be two numbers, least and most");
  }
  a.said = r.text("said");
  a.agrees = r.boolean("agrees");
  a.sets_a_constant = r.boolean("sets_a_constant");
  a.source = r.text("source");
  Reader run = r.object("run");
  a.run = read_run(run);
  r.finish();
  return a;
}

double measured(Measure measure, const StabilityCase& c, const Course& along, const Constants& k) {
  switch (measure) {
    case Measure::gradient:
      return expected_spikes(c, along, k).gradient;
    case Measure::loss:
      return expected_spikes(c, along, k).loss;
    case Measure::diverging:
      return expected_spikes(c, along, k).diverging;
    case Measure::lost:
      return 1 - (1 - lost_to_logits(c, along, along.points.back(), k)) *
                     (1 - lost_to_rate(c, along, k));
  }
  return 0;
}

std::string show_range(Measure measure, double low, double high) {
  const auto one = [&](double x) {
    if (measure == Measure::lost) return show_percent(x, 0);
    return x < 1 ? significant(x, 1) : significant(x, 2);
  };
  return low == high ? one(low) : one(low) + " - " + one(high);
}

}  // namespace

std::optional<std::vector<Anchor>> read_anchors(const std::string& json_text, Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  top.integer("schema", 1, 1);
  top.text("what");
  std::vector<Anchor> anchors;
  for (Reader& r : top.objects("anchors")) anchors.push_back(read_anchor(r));
  top.finish();
  for (const Anchor& a : anchors) {
    if (problems.list().size() == before) check(a.run, problems);
  }
  if (problems.list().size() != before) return std::nullopt;
  return anchors;
}

std::vector<Anchor> load_anchors() {
  const std::string path = data_path("models/stability/anchors.json");
  Problems problems;
  return value_or_throw(read_anchors(read_file(path, kMaxJsonBytes), problems), problems, path);
}

Prediction predict(const Anchor& anchor, const Constants& constants, std::uint64_t seed,
                   std::int64_t draws) {
  FORERUN_ASSERT(draws > 0, fmt::format("{} draws", draws));
  const Course along = course(anchor.run);
  const Stream stream(seed, "stability/constants");
  std::vector<double> values;
  for (std::int64_t i = 0; i < draws; ++i) {
    const Constants k = drawn(constants, stream, static_cast<std::uint64_t>(i));
    values.push_back(measured(anchor.measure, anchor.run, along, k));
  }
  const double value = anchor.measure == Measure::lost
                           ? mean(values)
                           : measured(anchor.measure, anchor.run, along, constants);
  return {value, {quantile(values, 0.1), quantile(values, 0.9)}};
}

Table anchor_table(const std::vector<Anchor>& anchors, const Constants& constants,
                   std::uint64_t seed, std::int64_t draws) {
  using enum Table::Align;
  Table table({{"run", left},
               {"measure", left},
               {"published", right},
               {"predicted", right},
               {"band", right},
               {"agrees", left},
               {"sets a constant", left}});
  for (const Anchor& a : anchors) {
    const Prediction p = predict(a, constants, seed, draws);
    table.row({a.name, std::string(name(a.measure)), a.said,
               show_range(a.measure, p.value, p.value),
               show_range(a.measure, p.band.low, p.band.high), a.agrees ? "yes" : "no",
               a.sets_a_constant ? "yes" : ""});
  }
  return table;
}

}  // namespace forerun::stability
