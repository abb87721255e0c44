#include "cli/replay_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "cli/report.h"
#include "core/table.h"

namespace forerun::cli {
namespace {

using Align = Table::Align;
using replay::JobPart;
using replay::PartKind;

constexpr std::size_t kMostParts = 8;  ///< of each kind, in the text
constexpr std::size_t kMostName = 60;
constexpr double kWorthSaying = 5e-4;

/// A kernel's mangled name can be longer than a screen is wide.
std::string shortened(const std::string& name) {
  return name.size() <= kMostName ? name : name.substr(0, kMostName - 3) + "...";
}

std::string kind_name(const replay::Job& job, std::int32_t kind) {
  return kind < 0 ? std::string() : job.trace.kinds[static_cast<std::size_t>(kind)].name;
}

std::string part_name(const replay::Job& job, const JobPart& p) {
  switch (p.part) {
    case PartKind::rank:
      return job.trace.ranks[static_cast<std::size_t>(p.index)].name;
    case PartKind::operation:
      return kind_name(job, p.index);
    default:
      return fmt::format("{} {}", name(p.part), p.index);
  }
}

/// By how much the steps differ at most from others, of those.
double worst(const std::vector<std::int64_t>& steps, const std::vector<std::int64_t>& from) {
  double most = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (from[i] == 0) continue;
    most = std::max(
        most, std::abs(static_cast<double>(steps[i] - from[i]) / static_cast<double>(from[i])));
  }
  return most;
}

/// "4.2 % shorter".
std::string change(double ratio) {
  const double by = ratio - 1;
  if (std::abs(by) < kWorthSaying) return "the same";
  return fmt::format("{} {}", show_percent(std::abs(by)), by < 0 ? "shorter" : "longer");
}

std::string heading(const replay::Job& job, const ReplayResult& r) {
  const replay::JobTrace& t = job.trace;
  std::string ranks = fmt::format("{} ranks", t.ranks.size());
  if (!job.rank_steps.empty()) {
    ranks += fmt::format(" ({} replicas of {} stages)", t.ranks.back().data + 1,
                         t.ranks.back().stage + 1);
  }
  return fmt::format("{}: {}, {} step{}, {}, {} operations\n", r.source, t.format, t.steps.size(),
                     t.steps.size() == 1 ? "" : "s", ranks,
                     show_count(static_cast<double>(t.operations.size())));
}

std::string replayed_text(const ReplayResult& r) {
  Table table({{"mean step", Align::left}, {"", Align::right}, {"", Align::left}});
  const auto row = [&](const char* what, const std::vector<std::int64_t>& steps) {
    std::string beside;
    if (&steps == &r.measured) {
      const auto [least, most] = std::ranges::minmax(steps);
      beside = fmt::format("from {} to {}", show_step(Seconds(static_cast<double>(least) * 1e-12)),
                           show_step(Seconds(static_cast<double>(most) * 1e-12)));
    } else if (!r.measured.empty()) {
      beside =
          fmt::format("a step is off by {} at most", show_percent(worst(steps, r.measured), 3));
    }
    table.row({what, show_step(replay::mean_of(steps)), beside});
  };
  if (!r.measured.empty()) row("measured", r.measured);
  row("replayed", r.with_gaps);
  row("replayed without gaps", r.without_gaps);
  return table.text();
}

std::string answers_text(const replay::Job& job, const ReplayResult& r) {
  Table table({{"what if", Align::left}, {"mean step", Align::right}, {"", Align::left}});
  const Seconds base = replay::mean_of(r.baseline(job));
  for (const ReplayAnswer& a : r.answers) {
    const Seconds step = replay::mean_of(a.steps);
    table.row({a.what, show_step(step), base > Seconds(0) ? change(step / base) : ""});
  }
  return fmt::format("against the replay {} gaps\n\n{}", job.keeps_gaps ? "with" : "without",
                     table.text());
}

/// The parts that hold the step up: those that, mended, make it shorter.
bool holds_up(const JobPart& p) { return p.mended < 1 - kWorthSaying; }

/// "slowest: data 3, stage 1, mostly backward-compute, ..." of each kind of part.
std::string slowest_text(const replay::Job& job, const ReplayResult& r) {
  std::string out;
  for (const PartKind kind : {PartKind::stage, PartKind::rank}) {
    const auto& parts = r.stragglers.parts;
    const auto slowest = std::ranges::find(parts, kind, &JobPart::part);
    if (slowest == parts.end() || !holds_up(*slowest)) continue;
    const std::string mostly =
        slowest->kind < 0
            ? std::string()
            : fmt::format(" (mostly {}, {})", shortened(kind_name(job, slowest->kind)),
                          change(slowest->kind_longer));
    out += wrapped(fmt::format("slowest {}: {}, whose work is {} than {}{}; without that the step "
                               "would be {}",
                               name(kind), part_name(job, *slowest), change(slowest->longer),
                               kind == PartKind::stage  ? "a stage's on the mean"
                               : job.rank_steps.empty() ? "its peers'"
                                                        : "its stage's on other replicas",
                               mostly, change(slowest->mended)),
                   2);
  }
  return out.empty() ? "  no stage and no rank holds the step up\n" : out;
}

std::string slow_text(const replay::Job& job, const ReplayResult& r) {
  Table table({{"holds up", Align::left},
               {"", Align::left},
               {"its work", Align::left},
               {"mended, the step is", Align::left},
               {"alone, a typical step is", Align::left},
               {"mostly", Align::left}});
  std::size_t shown = 0, left_out = 0;
  std::optional<PartKind> kind;
  for (const JobPart& p : r.stragglers.parts) {
    if (p.part != kind) shown = 0;
    kind = p.part;
    if (!holds_up(p) || shown >= kMostParts) {
      if (holds_up(p)) ++left_out;
      continue;
    }
    ++shown;
    table.row({std::string(name(p.part)), shortened(part_name(job, p)), change(p.longer),
               change(p.mended), change(p.slows),
               p.kind < 0 ? ""
                          : fmt::format("{}, {}", shortened(kind_name(job, p.kind)),
                                        change(p.kind_longer))});
  }
  std::string out = slowest_text(job, r) + "\n" + table.text();
  if (left_out > 0) out += fmt::format("and {} more (--json has all)\n", left_out);
  if (r.stragglers.ranks_left_out) out += "ranks are too many to replay one by one\n";
  return out;
}

std::string path_text(const replay::Job& job, const ReplayResult& r) {
  Table table({{"on the longest path", Align::left},
               {"times", Align::right},
               {"work", Align::right},
               {"gaps", Align::right},
               {"share", Align::right}});
  const replay::Path& path = r.path;
  for (std::size_t i = 0; i < std::min<std::size_t>(path.shares.size(), 12); ++i) {
    const replay::PathShare& s = path.shares[i];
    table.row({shortened(kind_name(job, s.kind)), show_count(static_cast<double>(s.operations)),
               show(s.work), show(s.gaps),
               path.length > Seconds(0) ? show_percent((s.work + s.gaps) / path.length) : ""});
  }
  return fmt::format("step {}, the one in the middle\n\n{}",
                     job.trace.steps[static_cast<std::size_t>(path.step)], table.text());
}

std::string notes_text(const replay::Job& job) {
  std::string out;
  for (const std::string& note : job.trace.notes) out += wrapped(note, 2);
  const replay::Work& w = job.work;
  const auto differ = [&](std::int64_t count, const char* what) {
    if (count == 0) return;
    out += wrapped(fmt::format("{} {}, by at most {}", show_count(static_cast<double>(count)), what,
                               show(Seconds(static_cast<double>(w.worst) * 1e-12))),
                   2);
  };
  differ(w.negative_transfers, "exchanges ended before all their ranks had begun");
  differ(w.negative_gaps, "operations began before what they wait for had ended");
  return out;
}

void write_steps(JsonWriter& json, const char* key, const std::vector<std::int64_t>& steps) {
  json.key(key).begin_array();
  for (const std::int64_t s : steps) json.value(static_cast<double>(s) * 1e-12);
  json.end_array();
}

void write_parts(JsonWriter& json, const replay::Job& job, const replay::Stragglers& s) {
  json.key("typical_step_s").value(s.typical.base()).key("slow").begin_array();
  for (const JobPart& p : s.parts) {
    json.begin_object().key("part").value(name(p.part)).key("name").value(part_name(job, p));
    json.key("work_ratio").value(p.longer).key("alone_ratio").value(p.slows);
    json.key("mended_ratio").value(p.mended).key("mostly");
    p.kind < 0 ? json.null() : json.value(kind_name(job, p.kind));
    json.key("mostly_ratio");
    p.kind < 0 ? json.null() : json.value(p.kind_longer);
    json.end_object();
  }
  json.end_array().key("ranks_left_out").value(s.ranks_left_out);
}

void write_path(JsonWriter& json, const replay::Job& job, const replay::Path& path) {
  json.key("longest_path").begin_object();
  json.key("step").value(job.trace.steps[static_cast<std::size_t>(path.step)]);
  json.key("length_s").value(path.length.base()).key("operations").begin_array();
  for (const replay::PathShare& s : path.shares) {
    json.begin_object().key("name").value(kind_name(job, s.kind)).key("count").value(s.operations);
    json.key("work_s").value(s.work.base()).key("gaps_s").value(s.gaps.base()).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

std::string replay_text(const replay::Job& job, const ReplayResult& r) {
  const std::string notes = notes_text(job);
  return fmt::format("{}\n{}\n{}\n{}\n{}{}", heading(job, r), replayed_text(r),
                     answers_text(job, r), slow_text(job, r), path_text(job, r),
                     notes.empty() ? "" : "\n" + notes);
}

void write_replay(JsonWriter& json, const replay::Job& job, const ReplayResult& r) {
  const replay::JobTrace& t = job.trace;
  json.key("source").value(r.source).key("format").value(t.format);
  json.key("ranks").value(std::ssize(t.ranks)).key("operations").value(std::ssize(t.operations));
  json.key("steps").begin_array();
  for (const std::int64_t s : t.steps) json.value(s);
  json.end_array();
  if (!r.measured.empty()) write_steps(json, "measured_s", r.measured);
  write_steps(json, "replayed_s", r.with_gaps);
  write_steps(json, "without_gaps_s", r.without_gaps);
  json.key("what_if").begin_array();
  for (const ReplayAnswer& a : r.answers) {
    json.begin_object().key("key").value(a.key).key("what").value(a.what);
    json.key("mean_step_s").value(replay::mean_of(a.steps).base());
    write_steps(json, "steps_s", a.steps);
    json.end_object();
  }
  json.end_array().key("against").value(job.keeps_gaps ? "replayed_s" : "without_gaps_s");
  write_parts(json, job, r.stragglers);
  write_path(json, job, r.path);
  json.key("notes").begin_array();
  for (const std::string& note : t.notes) json.value(note);
  json.end_array();
}

}  // namespace forerun::cli
