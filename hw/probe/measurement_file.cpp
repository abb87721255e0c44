#include "hw/probe/measurement_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <tuple>

#include "core/json_writer.h"
#include "core/reader.h"

namespace forerun::hw {
namespace {

constexpr double kMostSeconds = 86400;
constexpr double kMostMemory = 1e15;
constexpr std::array kModes = {Choice<ProbeMode>{"burst", ProbeMode::burst},
                               Choice<ProbeMode>{"sustained", ProbeMode::sustained}};

std::optional<double> optional_number(Reader& r, std::string_view key, double least, double most) {
  if (!r.has(key)) return std::nullopt;
  return r.number(key, least, most);
}

std::optional<Watts> optional_watts(Reader& r, std::string_view key) {
  const std::optional<double> watts = optional_number(r, key, 0, 1e5);
  return watts ? std::optional<Watts>(Watts(*watts)) : std::nullopt;
}

/// Digits where `pattern` has 0, its own letters elsewhere.
bool looks_like(std::string_view text, std::string_view pattern) {
  return std::equal(text.begin(), text.end(), pattern.begin(), pattern.end(),
                    [](char t, char p) { return p == '0' ? t >= '0' && t <= '9' : t == p; });
}

template <class E>
std::vector<Choice<E>> named(const std::vector<E>& values) {
  std::vector<Choice<E>> all;
  for (const E v : values) all.emplace_back(name(v), v);
  return all;
}

template <class E>
E one_of(Reader& r, std::string_view key, const std::vector<E>& values) {
  const std::vector<Choice<E>> choices = named(values);
  return r.choice(key, std::span<const Choice<E>>(choices));
}

ProbeShape read_shape(Reader& r) {
  std::vector<Choice<ProbeFamily>> families;
  for (const ProbeFamilyFacts& f : probe_families()) families.emplace_back(f.name, f.family);
  ProbeShape s;
  s.family = r.choice("family", std::span<const Choice<ProbeFamily>>(families));
  const ProbeFamilyFacts& f = facts(s.family);
  Reader arguments = r.object("arguments");
  for (const ProbeArgument& a : f.arguments) {
    s.arguments.push_back(arguments.integer(a.name, a.least, a.most));
  }
  arguments.finish();
  if (!f.precisions.empty()) {
    s.precision = one_of(r, "precision", f.precisions);
  } else if (r.has("precision")) {
    r.problem("precision", fmt::format("{} has none: must be null", f.name));
  }
  s.pass = one_of(r, "pass", f.passes);
  s.implementation = one_of(r, "implementation", f.implementations);
  return s;
}

ProbePoint read_point(Reader& r) {
  ProbePoint p;
  p.shape = read_shape(r);
  p.mode = r.choice("mode", kModes);
  p.median = Seconds(r.number("median_s", 1e-9, kMostSeconds));
  p.spread = Seconds(r.number("spread_s", 0, kMostSeconds));
  p.samples = r.integer("samples", 1, 1'000'000'000);
  p.calls = r.integer("calls", 1, 1'000'000'000);
  p.clock_mhz = optional_number(r, "clock_MHz", 1, 1e5);
  p.power = optional_watts(r, "power_W");
  p.error = optional_number(r, "error", 0, 1e30);
  if (const auto alone = optional_number(r, "alone_s", 1e-9, kMostSeconds)) {
    p.alone = Seconds(*alone);
  }
  const ProbeFamilyFacts& f = facts(p.shape.family);
  if (f.has_alone != p.alone.has_value()) {
    r.problem("alone_s", fmt::format("{} {} the time of the kernel alone", f.name,
                                     f.has_alone ? "needs" : "has no place for"));
  }
  r.finish();
  return p;
}

ProbeLeftOut read_left_out(Reader& r) {
  ProbeLeftOut l;
  l.shape = read_shape(r);
  l.mode = r.choice("mode", kModes);
  l.reason = r.text("reason");
  r.finish();
  return l;
}

void read_capability(Reader& r, ProbeDevice& d) {
  const std::string text = r.text("compute_capability");
  if (looks_like(text, "0.0")) {
    d.major = text[0] - '0', d.minor = text[2] - '0';
  } else if (looks_like(text, "00.0")) {
    d.major = 10 * (text[0] - '0') + (text[1] - '0'), d.minor = text[3] - '0';
  } else {
    r.problem("compute_capability",
              fmt::format("expected a number such as \"9.0\", found \"{}\"", text));
  }
}

ProbeDevice read_device(Reader r) {
  ProbeDevice d;
  d.name = r.text("name");
  read_capability(r, d);
  d.count = static_cast<int>(r.integer("count", 1, 1024));
  d.multiprocessors = static_cast<int>(r.integer("multiprocessors", 1, 100000));
  d.memory = Bytes(r.number("memory_B", 1, kMostMemory));
  d.l2 = Bytes(r.number("l2_B", 0, kMostMemory));
  d.clock_mhz = optional_number(r, "clock_MHz", 1, 1e5);
  d.memory_clock_mhz = optional_number(r, "memory_clock_MHz", 1, 1e5);
  d.power_cap = optional_watts(r, "power_cap_W");
  d.driver = r.text("driver");
  d.runtime = r.text("runtime");
  Reader libraries = r.object("libraries");
  for (const std::string& library : libraries.keys()) {
    std::optional<std::string>& version = d.libraries[library];
    if (libraries.has(library)) version = libraries.text(library);
  }
  libraries.finish();
  r.finish();
  return d;
}

/// Two times for one thing would leave it to the reader which to believe.
void refuse_twins(const std::vector<ProbePoint>& points, std::vector<Reader>& readers) {
  std::set<std::pair<ProbeShape, ProbeMode>> seen;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!seen.emplace(points[i].shape, points[i].mode).second) {
      readers[i].problem(
          "", fmt::format("a second point of {} {}", text(points[i].shape), name(points[i].mode)));
    }
  }
}

void read_points(Reader& top, ProbeMeasurements& m) {
  std::vector<Reader> readers = top.objects("points");
  if (readers.size() > kMostProbePoints) {
    top.problem("points", fmt::format("{} points: at most {}", readers.size(), kMostProbePoints));
    return;
  }
  for (Reader& r : readers) m.points.push_back(read_point(r));
  refuse_twins(m.points, readers);
  std::vector<Reader> left_out = top.objects("left_out");
  if (left_out.size() > kMostProbePoints) {
    top.problem("left_out",
                fmt::format("{} shapes: at most {}", left_out.size(), kMostProbePoints));
    return;
  }
  for (Reader& r : left_out) m.left_out.push_back(read_left_out(r));
}

std::optional<double> base(const std::optional<Watts>& w) {
  return w ? std::optional<double>(w->base()) : std::nullopt;
}

void write_point(JsonWriter& json, const ProbePoint& p) {
  json.begin_object();
  write_probe_shape(json, p.shape);
  json.key("mode").value(name(p.mode)).key("median_s").value(p.median.base());
  json.key("spread_s").value(p.spread.base()).key("samples").value(p.samples);
  json.key("calls").value(p.calls).key("clock_MHz").value(p.clock_mhz);
  json.key("power_W").value(base(p.power)).key("error").value(p.error).key("alone_s");
  p.alone ? json.value(p.alone->base()) : json.null();
  json.end_object();
}

void write_device(JsonWriter& json, const ProbeDevice& d) {
  json.key("device").begin_object().key("name").value(d.name);
  json.key("compute_capability").value(fmt::format("{}.{}", d.major, d.minor));
  json.key("count").value(std::int64_t{d.count});
  json.key("multiprocessors").value(std::int64_t{d.multiprocessors});
  json.key("memory_B").value(d.memory.base()).key("l2_B").value(d.l2.base());
  json.key("clock_MHz").value(d.clock_mhz).key("memory_clock_MHz").value(d.memory_clock_mhz);
  json.key("power_cap_W").value(base(d.power_cap));
  json.key("driver").value(d.driver).key("runtime").value(d.runtime);
  json.key("libraries").begin_object();
  for (const auto& [library, version] : d.libraries) json.key(library).value(version);
  json.end_object().end_object();
}

}  // namespace

std::optional<ProbeMeasurements> read_probe_measurements(std::string_view json_text,
                                                         Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  ProbeMeasurements m;
  const std::string format = top.text("format");
  if (format != kProbeFormat) {
    top.problem("format", fmt::format("expected \"{}\", found \"{}\"", kProbeFormat, format));
  }
  top.integer("schema", 1, 1);
  m.program = top.text("program");
  m.when = top.text("when");
  if (!looks_like(m.when, "0000-00-00T00:00:00Z")) {
    top.problem(
        "when",
        fmt::format("expected a time such as \"2026-03-01T12:00:00Z\", found \"{}\"", m.when));
  }
  m.seed = top.integer("seed", 0, std::numeric_limits<std::int64_t>::max());
  m.budget = Seconds(top.number("budget_s", 1, kMostSeconds));
  m.elapsed = Seconds(top.number("elapsed_s", 0, 10 * kMostSeconds));
  m.finished = top.boolean("finished");
  m.device = read_device(top.object("device"));
  read_points(top, m);
  top.finish();
  if (problems.list().size() != before) return std::nullopt;
  return m;
}

void write_probe_shape(JsonWriter& json, const ProbeShape& s) {
  const ProbeFamilyFacts& f = facts(s.family);
  json.key("family").value(f.name).key("arguments").begin_object();
  for (std::size_t i = 0; i < f.arguments.size(); ++i) {
    json.key(f.arguments[i].name).value(s.arguments.at(i));
  }
  json.end_object().key("precision");
  s.precision ? json.value(name(*s.precision)) : json.null();
  json.key("pass").value(name(s.pass)).key("implementation").value(name(s.implementation));
}

std::string probe_measurements_text(const ProbeMeasurements& m) {
  JsonWriter json;
  json.begin_object().key("format").value(kProbeFormat).key("schema").value(std::int64_t{1});
  json.key("program").value(m.program).key("when").value(m.when).key("seed").value(m.seed);
  json.key("budget_s").value(m.budget.base()).key("elapsed_s").value(m.elapsed.base());
  json.key("finished").value(m.finished);
  write_device(json, m.device);
  json.key("points").begin_array();
  for (const ProbePoint& p : m.points) write_point(json, p);
  json.end_array().key("left_out").begin_array();
  for (const ProbeLeftOut& l : m.left_out) {
    json.begin_object();
    write_probe_shape(json, l.shape);
    json.key("mode").value(name(l.mode)).key("reason").value(l.reason).end_object();
  }
  json.end_array().end_object();
  return json.text();
}

}  // namespace forerun::hw
