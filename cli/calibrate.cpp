#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "cli/command.h"
#include "cli/load.h"
#include "cli/report.h"
#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "core/table.h"
#include "hw/accelerator.h"
#include "hw/calibrate/calibration.h"
#include "hw/calibrate/scatter_plot.h"
#include "hw/collective.h"
#include "hw/logs/read_log.h"

namespace forerun::cli {
namespace {

using Align = Table::Align;

/// Beyond, a broken file repeats itself.
constexpr std::size_t kMostShown = 20;

/// A kind of profile that can be calibrated.
struct ProfileKind {
  std::string_view folder, name;
  const char* key;  ///< that only its files have
  void (*check)(const std::string&, Problems&);
  hw::Calibration (*calibrate)(const std::string&, const std::vector<hw::ToolLog>&, Problems&);
};

constexpr std::array kKinds = {
    ProfileKind{"hw/profiles/accelerators", "accelerator profile", "peak",
                [](const std::string& t, Problems& p) { (void)hw::read_accelerator(t, p); },
                hw::calibrate_accelerator},
    ProfileKind{"hw/profiles/networks", "network profile", "scale_up_profile",
                [](const std::string& t, Problems& p) { (void)hw::read_network(t, p); },
                hw::calibrate_network}};

/// The file itself, else the profile of that name.
std::string profile_path(const std::string& argument) {
  std::error_code ignored;
  if (std::filesystem::exists(argument, ignored) || argument.ends_with(".json") ||
      argument.find('/') != argument.npos) {
    return argument;
  }
  std::vector<std::string> known;
  for (const ProfileKind& kind : kKinds) {
    for (const std::string& name : data_names(kind.folder)) {
      if (name == argument) return data_path(fmt::format("{}/{}.json", kind.folder, name));
      known.push_back(name);
    }
  }
  throw Error(ExitCode::wrong,
              fmt::format("there is no file and no accelerator or network profile of the name "
                          "\"{}\"",
                          argument),
              did_you_mean(argument, known, "forerun list profiles and forerun list networks"));
}

const ProfileKind& kind_of(const std::string& path, const std::string& text) {
  Problems problems;
  const JsonDocument document = JsonDocument::parse(text, problems);
  if (!problems.empty()) refuse(path, problems);
  const Reader top = document.root(problems);
  for (const ProfileKind& kind : kKinds) {
    if (top.has(kind.key)) return kind;
  }
  throw Error(ExitCode::wrong, path + ": neither an accelerator's nor a network's profile");
}

/// Problems that carry their own files and lines, one a line.
[[noreturn]] void refuse_measurements(const Problems& problems) {
  std::string lines;
  std::size_t shown = 0;
  for (const Problem& p : problems.list()) {
    if (++shown > kMostShown) break;
    lines += (lines.empty() ? "" : "\n") + (p.where.empty() ? p.what : p.where + ": " + p.what);
  }
  if (problems.list().size() > kMostShown) {
    lines += fmt::format("\nand {} more", problems.list().size() - kMostShown);
  }
  const std::size_t count = problems.list().size();
  throw Error(
      ExitCode::wrong,
      count == 1 ? lines : fmt::format("the measurements have {} problems\n{}", count, lines),
      "nothing was written");
}

std::vector<hw::ToolLog> read_logs(const std::vector<std::string>& files, Problems& problems) {
  std::vector<hw::ToolLog> logs;
  std::set<std::string> seen;
  for (const std::string& file : files) {
    if (!seen.insert(std::filesystem::weakly_canonical(file).string()).second) {
      problems.add(file, "given twice: each measurement counts once");
      continue;
    }
    try {
      if (auto log = hw::read_log(file, problems)) logs.push_back(*std::move(log));
    } catch (const Error& e) {
      problems.add(file, e.what());
    }
  }
  return logs;
}

std::string files_text(const std::vector<hw::ToolLog>& logs) {
  Table table({{"file", Align::left},
               {"tool", Align::left},
               {"device", Align::left},
               {"measurements", Align::right}});
  std::string notes;
  for (const hw::ToolLog& log : logs) {
    const std::string name = hw::files_of({{log.file, ""}});
    table.row({name,
               log.version.empty() ? std::string(hw::name(log.tool))
                                   : fmt::format("{} ({})", hw::name(log.tool), log.version),
               log.device.empty() ? "not told" : log.device,
               show_count(static_cast<double>(log.measurements()))});
    for (const std::string& note : log.notes) notes += fmt::format("  {}: {}\n", name, note);
  }
  return table.text() + (notes.empty() ? "" : "\n" + notes);
}

std::string families_text(const hw::Calibration& c) {
  Table table({{"family", Align::left},
               {"points", Align::right},
               {"before: median", Align::right},
               {"p95", Align::right},
               {"left out: median", Align::right},
               {"p95", Align::right},
               {"how", Align::left},
               {"from", Align::left}});
  for (const hw::CalibratedFamily& f : c.families) {
    const hw::ErrorSummary b = f.before(), l = f.left_out();
    std::vector<hw::LogPlace> places;
    for (const hw::CalibratedPoint& p : f.points) places.push_back(p.place);
    const auto percent = [](const hw::ErrorSummary& e, double v) {
      return e.count == 0 ? std::string("-") : show_percent(v);
    };
    table.row({f.name, show_count(static_cast<double>(f.points.size())), percent(b, b.median),
               percent(b, b.p95), percent(l, l.median), percent(l, l.p95), f.did,
               hw::files_of(places)});
  }
  return table.text();
}

std::string fields_text(const hw::Calibration& c) {
  Table table({{"field", Align::left},
               {"was", Align::left},
               {"now", Align::left},
               {"evidence", Align::left},
               {"from", Align::left}});
  for (const hw::CalibratedField& f : c.fields) {
    table.row({f.field, f.was, f.now, std::string(name(f.evidence)), f.source});
  }
  std::string out = table.text();
  for (const std::string& unused : c.unused) out += fmt::format("  not used: {}\n", unused);
  return out;
}

void write_summary(JsonWriter& json, std::string_view key, const hw::ErrorSummary& e) {
  json.key(key);
  if (e.count == 0) {
    json.null();
    return;
  }
  json.begin_object().key("points").value(static_cast<std::int64_t>(e.count));
  json.key("median").value(e.median).key("mean").value(e.mean).key("p95").value(e.p95);
  json.end_object();
}

void write_families(JsonWriter& json, const hw::Calibration& c) {
  json.key("families").begin_array();
  for (const hw::CalibratedFamily& f : c.families) {
    json.begin_object().key("name").value(f.name).key("did").value(f.did);
    json.key("left_out_how").value(f.left_out_how);
    write_summary(json, "before", f.before());
    write_summary(json, "left_out", f.left_out());
    json.key("points").begin_array();
    for (const hw::CalibratedPoint& p : f.points) {
      json.begin_object().key("what").value(p.what).key("from").value(hw::text(p.place));
      json.key("measured_s").value(p.measured.base()).key("before_s").value(p.before.base());
      json.key("left_out_s");
      p.left_out.base() > 0 ? json.value(p.left_out.base()) : json.null();
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

void write_answer(JsonWriter& json, const hw::Calibration& c, const std::vector<hw::ToolLog>& logs,
                  const std::string& profile, const std::string& output) {
  json.begin_object().key("profile").value(profile).key("output").value(output);
  json.key("files").begin_array();
  for (const hw::ToolLog& log : logs) {
    json.begin_object().key("file").value(log.file).key("tool").value(hw::name(log.tool));
    json.key("version").value(log.version).key("device").value(log.device);
    json.key("measurements").value(static_cast<std::int64_t>(log.measurements()));
    json.key("notes").begin_array();
    for (const std::string& note : log.notes) json.value(note);
    json.end_array().end_object();
  }
  json.end_array();
  write_families(json, c);
  json.key("fields").begin_array();
  for (const hw::CalibratedField& f : c.fields) {
    json.begin_object().key("field").value(f.field).key("was").value(f.was).key("now").value(f.now);
    json.key("evidence").value(name(f.evidence)).key("source").value(f.source).end_object();
  }
  json.end_array().key("unused").begin_array();
  for (const std::string& unused : c.unused) json.value(unused);
  json.end_array().key("version").value(FORERUN_VERSION).end_object();
}

/// The same for all names of a file, whether it is there or not.
std::filesystem::path canonical(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::path whole = std::filesystem::absolute(path, ignored);
  std::filesystem::path found = std::filesystem::weakly_canonical(whole, ignored);
  return found.empty() ? whole.lexically_normal() : found;
}

/// What is written must be neither a measurement nor written over by another answer.
void check_outputs(const Options& o) {
  std::set<std::filesystem::path> measurements, made;
  for (const std::string& file : o.with) measurements.insert(canonical(file));
  for (const std::string& file : {o.output, o.plot, o.json}) {
    if (file.empty() || file == "-") continue;
    const std::filesystem::path path = canonical(file);
    if (measurements.contains(path)) {
      throw Error(ExitCode::usage, fmt::format("{} is one of the measurements", file),
                  "write to another file");
    }
    if (!made.insert(path).second) {
      throw Error(ExitCode::usage, fmt::format("{} is to be written twice", file),
                  "give -o, --plot and --json files of their own");
    }
  }
}

}  // namespace

int calibrate(const Options& o) {
  if (o.with.empty() || o.output.empty()) {
    throw Error(ExitCode::usage,
                "forerun calibrate needs measurements and a name for the new profile",
                "forerun calibrate PROFILE --with FILE... -o PROFILE");
  }
  check_outputs(o);
  const std::string path = profile_path(o.arguments.front());
  const std::string text = read_file(path, kMaxJsonBytes);
  const ProfileKind& kind = kind_of(path, text);
  Problems problems;
  kind.check(text, problems);
  if (!problems.empty()) refuse(path, problems);
  const std::vector<hw::ToolLog> logs = read_logs(o.with, problems);
  if (!problems.empty()) refuse_measurements(problems);
  const hw::Calibration c = kind.calibrate(text, logs, problems);
  if (!problems.empty()) refuse_measurements(problems);
  kind.check(c.profile, problems);
  if (!problems.empty()) {
    throw Error(ExitCode::wrong, "the new profile would be wrong\n" + problems.text(o.output),
                "nothing was written");
  }
  write_file(o.output, c.profile);
  const std::string name = o.arguments.front();
  if (!o.plot.empty()) {
    write_file(o.plot,
               hw::scatter_svg(fmt::format("{}: measured and predicted", name), c.families));
  }
  JsonWriter json;
  write_answer(json, c, logs, path, o.output);
  deliver(o,
          fmt::format("{}\n\n{}\n{}\n{}\n  {} written{}, forerun {}\n", name, files_text(logs),
                      families_text(c), fields_text(c), o.output,
                      o.plot.empty() ? "" : ", picture " + o.plot, FORERUN_VERSION),
          json);
  return 0;
}

}  // namespace forerun::cli
