#include "sim/error_band.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"

namespace forerun::sim {
namespace {

constexpr std::string_view kAny = "*";

}  // namespace

const ErrorBand* ErrorBands::find(bool experts, std::string_view generation,
                                  std::string_view framework) const {
  using Key = std::pair<std::string_view, std::string_view>;
  for (const Key& key :
       {Key{generation, framework}, Key{kAny, framework}, Key{generation, kAny}, Key{kAny, kAny}}) {
    for (const ErrorBand& b : bands) {
      if (b.experts == experts && b.generation == key.first && b.framework == key.second) return &b;
    }
  }
  return nullptr;
}

std::optional<ErrorBands> read_error_bands(const std::string& json_text, Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  ErrorBands out;
  (void)top.integer("schema", 1, 1);
  (void)top.text("what");
  out.level = top.number("level", 0, 1);
  for (Reader& r : top.objects("bands")) {
    ErrorBand& b = out.bands.emplace_back();
    b.experts = r.boolean("experts");
    b.generation = r.text("generation");
    b.framework = r.text("framework");
    b.low = r.number("low", -10, 10);
    b.high = r.number("high", -10, 10);
    b.rows = r.integer("rows", 1, 1 << 30);
    b.groups = r.integer("groups", 1, 1 << 30);
    if (b.low > b.high) r.problem("high", fmt::format("{} is less than low, {}", b.high, b.low));
    r.finish();
  }
  top.finish();
  if (problems.list().size() > before) return std::nullopt;
  return out;
}

ErrorBands load_error_bands() {
  const std::string path = data_path("sim/bands.json");
  Problems problems;
  return value_or_throw(read_error_bands(read_file(path, kMaxJsonBytes), problems), problems, path,
                        "run fit_constants --cross-validate --write again");
}

std::optional<TimeBand> time_band(const ErrorBands& bands, const Scenario& s, Seconds time) {
  // Of a job on several kinds of accelerators no published run says anything: any accelerator's.
  const std::string generation = s.pools.empty() ? s.accelerator.generation : std::string(kAny);
  const ErrorBand* band = bands.find(s.model.experts.has_value(), generation, s.framework.name);
  if (band == nullptr) return std::nullopt;
  const std::string kind = band->generation == kAny && band->framework == kAny ? "all"
                           : band->framework == kAny                           ? band->generation
                           : band->generation == kAny
                               ? band->framework
                               : band->generation + " with " + band->framework;
  return TimeBand{bands.level, time * std::exp(band->low), time * std::exp(band->high),
                  fmt::format("{}, {}experts: {} published groups, {} rows", kind,
                              band->experts ? "" : "no ", band->groups, band->rows)};
}

}  // namespace forerun::sim
