#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "cli/command.h"
#include "cli/load.h"
#include "cli/replay_report.h"
#include "cli/report.h"
#include "core/file.h"
#include "sim/replay/chrome_trace.h"
#include "sim/replay/load_job.h"
#include "sim/replay/reschedule.h"
#include "sim/replay/what_if.h"

namespace forerun::cli {
namespace {

using replay::Alike;
using replay::Job;

std::vector<std::int64_t> steps_with(const Job& job, std::span<const std::int64_t> durations,
                                     std::span<const std::int64_t> gaps) {
  return step_ends(job.trace, job.graph.replay(durations, gaps));
}

void answer_always(const Job& job, std::vector<ReplayAnswer>& answers) {
  const auto add = [&](const char* key, const char* what,
                       const std::vector<std::int64_t>& durations) {
    answers.push_back({key, what, steps_with(job, durations, job.gaps())});
  };
  if (job.rank_steps.empty()) {
    add("no_stragglers", "every operation as long as on the ranks' mean",
        typical_durations(job, Alike::anywhere));
  } else {
    add("no_stragglers", "no stragglers: every operation typical of its kind and stage",
        typical_durations(job, Alike::on_stage));
    add("balanced", "no stragglers, and stages balanced", typical_durations(job, Alike::anywhere));
  }
  add("ideal_network", "transfers take no time", without_transfers(job));
}

void answer_asked(const Job& job, const Options& o, std::vector<ReplayAnswer>& answers) {
  Problems problems;
  for (const std::string& words : o.faster) {
    const std::optional<replay::Faster> faster = replay::parse_faster(words, problems);
    if (!faster) continue;
    if (const auto durations = faster_durations(job, *faster, problems)) {
      answers.push_back({"faster " + words,
                         fmt::format("{} {} times as fast", faster->name, faster->factor),
                         steps_with(job, *durations, job.gaps())});
    }
  }
  for (const std::string& words : o.schedule) {
    const std::optional<replay::ScheduleChoice> choice = replay::parse_schedule(words, problems);
    if (!choice) continue;
    if (auto steps = rescheduled_steps(job, *choice, problems)) {
      answers.push_back({"schedule " + words, fmt::format("schedule {}", schedule_text(*choice)),
                         *std::move(steps)});
    }
  }
  if (!problems.empty()) refuse(o.arguments.front(), problems);
}

}  // namespace

int replay(const Options& o) {
  const Job job = replay::load_job(o.arguments);
  ReplayResult r;
  r.source = std::filesystem::path(o.arguments.front()).filename().string();
  if (r.source.empty()) r.source = o.arguments.front();
  if (job.trace.dated) r.measured = measured_steps(job.trace);
  r.with_gaps = steps_with(job, job.work.durations, job.work.gaps);
  r.without_gaps = steps_with(job, job.work.durations, {});
  answer_always(job, r.answers);
  answer_asked(job, o, r.answers);
  r.stragglers = find_stragglers(job);
  r.path = median_path(job);
  if (!o.trace.empty()) {
    write_file(o.trace, chrome_trace(job, job.graph.replay(job.work.durations, job.gaps())));
  }
  JsonWriter json;
  json.begin_object();
  write_replay(json, job, r);
  json.key("version").value(FORERUN_VERSION).end_object();
  deliver(o, fmt::format("{}\n  forerun {}\n", replay_text(job, r), FORERUN_VERSION), json);
  return 0;
}

}  // namespace forerun::cli
