#include "hw/reliability.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "core/json_writer.h"

namespace forerun::hw {
namespace {

using namespace literals;

constexpr const char* kFolder = "hw/profiles/reliability";
constexpr std::int64_t kMostNodes = 1'000'000;
constexpr double kLeastShape = 0.2, kMostShape = 10, kMostSlowdown = 1000;

FailureCause read_cause(Reader& at) {
  FailureCause c;
  c.name = at.text("name");
  c.per_1000_node_days = read_range(at, "per_1000_node_days", 0, kMostPer1000NodeDays);
  if (at.has("nodes")) c.nodes = at.integer("nodes", 0, kMostNodes);
  if (at.has("shape")) {
    c.shape = at.number("shape", kLeastShape, kMostShape);
    c.life = read_duration(at, "life");
    if (!(c.life.base() > 0)) at.problem("life", "must be above 0");
  }
  if (at.has("noticed")) {
    c.silent = true;
    c.noticed = at.number("noticed", 0, 1);
    c.unnoticed_for = read_duration_range(at, "unnoticed_for");
  }
  if (at.has("notice")) c.notice = read_duration(at, "notice");
  if (at.has("planned")) c.planned = at.boolean("planned");
  c.evidence = at.evidence("evidence");
  c.source = at.text("source");
  if (at.has("source") && c.source.empty()) at.problem("source", "empty");
  at.finish();
  return c;
}

SlowNodes read_slow(Reader& at) {
  SlowNodes s;
  s.name = at.text("name");
  s.per_1000_node_days = read_range(at, "per_1000_node_days", 0, kMostPer1000NodeDays);
  s.slowdown = read_range(at, "slowdown", 1, kMostSlowdown);
  s.lasts = read_duration_range(at, "lasts");
  if (at.has("exchanged")) s.exchanged = at.boolean("exchanged");
  s.evidence = at.evidence("evidence");
  s.source = at.text("source");
  if (at.has("source") && s.source.empty()) at.problem("source", "empty");
  at.finish();
  return s;
}

std::string cause_json(const FailureCause& c) {
  std::string out = fmt::format("{{\"name\": {}, \"per_1000_node_days\": {}, \"nodes\": {}",
                                json_quoted(c.name), range_json(c.per_1000_node_days), c.nodes);
  if (c.shape != 1) {
    out += fmt::format(", \"shape\": {}, \"life\": {}", c.shape, duration_json(c.life));
  }
  if (c.silent) {
    out += fmt::format(", \"noticed\": {}, \"unnoticed_for\": {}", c.noticed,
                       duration_range_json(c.unnoticed_for));
  }
  if (c.notice.base() > 0) out += fmt::format(", \"notice\": {}", duration_json(c.notice));
  if (c.planned) out += ", \"planned\": true";
  return out + fmt::format(", \"evidence\": \"{}\", \"source\": {}}}", name(c.evidence),
                           json_quoted(c.source));
}

std::string slow_json(const SlowNodes& s) {
  return fmt::format(
      "{{\"name\": {}, \"per_1000_node_days\": {}, \"slowdown\": {}, \"lasts\": {}, "
      "\"exchanged\": {}, \"evidence\": \"{}\", \"source\": {}}}",
      json_quoted(s.name), range_json(s.per_1000_node_days), range_json(s.slowdown),
      duration_range_json(s.lasts), s.exchanged, name(s.evidence), json_quoted(s.source));
}

}  // namespace

Reliability read_reliability_body(Reader& at) {
  Reliability r;
  r.name = at.text("name");
  if (at.has("description")) r.description = at.text("description");
  if (at.has("accelerators_per_node")) {
    r.accelerators_per_node = at.integer("accelerators_per_node", 1, 1024);
  }
  for (Reader& cause : at.objects("causes")) {
    FailureCause c = read_cause(cause);
    if (std::ranges::find(r.causes, c.name, &FailureCause::name) != r.causes.end()) {
      cause.problem("name", fmt::format("a second cause named \"{}\"", c.name));
    }
    r.causes.push_back(std::move(c));
  }
  if (at.has("slow")) {
    for (Reader& slow : at.objects("slow")) {
      SlowNodes s = read_slow(slow);
      if (std::ranges::find(r.slow, s.name, &SlowNodes::name) != r.slow.end()) {
        slow.problem("name", fmt::format("a second kind of slow node named \"{}\"", s.name));
      }
      r.slow.push_back(std::move(s));
    }
  }
  at.finish();
  return r;
}

std::string reliability_json(const Reliability& r) {
  std::vector<std::string> causes, slow;
  for (const FailureCause& c : r.causes) causes.push_back(cause_json(c));
  for (const SlowNodes& s : r.slow) slow.push_back(slow_json(s));
  std::string out = fmt::format("{{\"name\": {}", json_quoted(r.name));
  if (!r.description.empty()) {
    out += fmt::format(", \"description\": {}", json_quoted(r.description));
  }
  out += fmt::format(", \"accelerators_per_node\": {}, \"causes\": [{}]", r.accelerators_per_node,
                     fmt::join(causes, ", "));
  if (!slow.empty()) out += fmt::format(", \"slow\": [{}]", fmt::join(slow, ", "));
  return out + "}";
}

std::optional<Reliability> read_reliability(const std::string& json_text, Problems& problems) {
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  if (!document.readable()) return std::nullopt;
  Reader top = document.root(problems);
  top.integer("schema", 1, 1);
  Reliability r = read_reliability_body(top);
  if (!problems.empty()) return std::nullopt;
  return r;
}

std::vector<std::string> reliability_names() { return data_names(kFolder); }

Reliability load_reliability(const std::string& name) {
  const std::vector<std::string> names = reliability_names();
  if (!std::ranges::binary_search(names, name)) {
    throw Error(ExitCode::wrong, fmt::format("no reliability profile is named {}", name),
                did_you_mean(name, names, fmt::format("there are: {}", fmt::join(names, ", "))));
  }
  Problems problems;
  const std::string path = data_path(fmt::format("{}/{}.json", kFolder, name));
  return value_or_throw(read_reliability(read_file(path, kMaxJsonBytes), problems), problems,
                        name + ".json");
}

std::optional<Seconds> mean_time_between(std::span<const FailureCause> causes, double nodes) {
  double rate = 0;
  for (const FailureCause& c : causes) {
    rate += c.per_1000_node_days.mean() / 1000 / (1.0_days).base() * nodes *
            (c.silent ? c.noticed : 1.0);
  }
  if (!(rate > 0)) return std::nullopt;
  return Seconds(1 / rate);
}

}  // namespace forerun::hw
