#include "hw/stragglers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"

namespace forerun::hw {
namespace {

constexpr const char* kFolder = "hw/profiles/stragglers";

}  // namespace

double Stragglers::slowdown(const Stream& stream, std::uint64_t first) const {
  double s = 1;
  for (const StragglerCause& c : causes) {
    const bool there = stream.uniform(first) < c.share;
    const double z = stream.normal(first + 1);
    first += 3;
    if (!there) continue;
    s = std::max(s, 1 + c.mean * std::exp(c.log_spread * (z - c.log_spread / 2)));
  }
  return s;
}

std::optional<Stragglers> read_stragglers(const std::string& json_text, Problems& problems) {
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  if (!document.readable()) return std::nullopt;
  Reader top = document.root(problems);
  Stragglers s;
  top.integer("schema", 1, 1);
  s.name = top.text("name");
  s.description = top.text("description");
  for (Reader& at : top.objects("causes")) {
    StragglerCause& c = s.causes.emplace_back();
    c.name = at.text("name");
    c.share = at.number("share", 0, 1);
    c.mean = at.number("mean", 0, 1000);
    c.log_spread = at.number("log_spread", 0, 10);
    c.evidence = at.evidence("evidence");
    c.source = at.text("source");
    if (at.has("source") && c.source.empty()) at.problem("source", "empty");
    at.finish();
  }
  top.finish();
  if (!problems.empty()) return std::nullopt;
  return s;
}

std::vector<std::string> straggler_names() { return data_names(kFolder); }

Stragglers load_stragglers(const std::string& name) {
  const std::vector<std::string> names = straggler_names();
  if (!std::ranges::binary_search(names, name)) {
    throw Error(ExitCode::wrong, fmt::format("no straggler profile is named {}", name),
                did_you_mean(name, names, fmt::format("there are: {}", fmt::join(names, ", "))));
  }
  Problems problems;
  const std::string path = data_path(fmt::format("{}/{}.json", kFolder, name));
  return value_or_throw(read_stragglers(read_file(path, kMaxJsonBytes), problems), problems,
                        name + ".json");
}

}  // namespace forerun::hw
