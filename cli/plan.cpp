// forerun plan: the best parallel plan of a scenario; with choices, the best of those, each with
// its own best plan.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <thread>

#include "cli/command.h"
#include "cli/load.h"
#include "cli/page.h"
#include "cli/plan_report.h"
#include "cli/report.h"
#include "core/error.h"
#include "core/file.h"
#include "core/table.h"
#include "sim/layout.h"
#include "sim/memory.h"
#include "sim/plan_json.h"
#include "sim/planner/plan_edits.h"
#include "sim/planner/search_file.h"

namespace forerun::cli {
namespace {

/// Set by Ctrl-C: a search then ends with what it has.
std::atomic<bool> stop_asked = false;

class StopOnInterrupt {
 public:
  StopOnInterrupt() : before_(std::signal(SIGINT, stop)) {}
  ~StopOnInterrupt() { std::signal(SIGINT, before_); }
  StopOnInterrupt(const StopOnInterrupt&) = delete;
  StopOnInterrupt& operator=(const StopOnInterrupt&) = delete;

 private:
  /// A second one ends the program.
  static void stop(int) {
    stop_asked = true;
    (void)std::signal(SIGINT, SIG_DFL);
  }
  void (*before_)(int);
};

/// How far a search is and how long it will take, on a terminal's standard error.
class Progress {
 public:
  ~Progress() {
    if (shown_) fmt::print(stderr, "\r\033[K");
  }
  void say(const char* what, std::size_t done, std::size_t all) {
    using std::chrono::duration;
    if (!terminal_ || done == 0) return;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    const auto now = std::chrono::steady_clock::now();
    if (!lock || now - said_ < kBetween) return;
    said_ = now;
    if (phase_ != what) {
      phase_ = what;
      phase_begun_ = now;
    }
    const double spent = duration<double>(now - phase_begun_).count();
    const double left = spent / static_cast<double>(done) * static_cast<double>(all - done);
    fmt::print(stderr, "\r{}: {} of {}, {} left\033[K", what, done, all, show(Seconds(left)));
    std::fflush(stderr);
    shown_ = true;
  }

 private:
  static constexpr std::chrono::milliseconds kBetween{300};
  std::mutex mutex_;
  std::chrono::steady_clock::time_point phase_begun_{}, said_{};
  std::string phase_;
  bool terminal_ = isatty(STDERR_FILENO) == 1, shown_ = false;
};

hw::PriceDate today() {
  const std::chrono::year_month_day day(
      std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
  return {static_cast<int>(day.year()), static_cast<int>(static_cast<unsigned>(day.month())),
          static_cast<int>(static_cast<unsigned>(day.day()))};
}

int threads_of(const Options& o) {
  return o.threads > 0 ? o.threads
                       : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

/// The search file and the scenario it is about.
struct Question {
  JsonDocument document;
  sim::SearchFile file;
  sim::Scenario scenario;
};

std::vector<std::string> goal_names() {
  std::vector<std::string> names;
  for (const auto& [name, goal] : sim::kGoals) names.emplace_back(name);
  return names;
}

Question read_question(const Options& o) {
  Problems problems;
  std::optional<sim::Scenario> scenario = load_unplanned(o, {}, problems);
  if (!scenario) refuse(scenario_path(o.arguments.front()), problems);
  JsonDocument document = o.search.empty() ? JsonDocument::parse("{\"schema\": 1}", problems)
                                           : JsonDocument::load(o.search, problems);
  sim::SearchFile file = sim::read_search_file(document, *scenario, today(), problems);
  if (!o.goal.empty()) {
    const std::optional<sim::Goal> goal = sim::goal_named(o.goal);
    if (!goal) {
      throw Error(ExitCode::usage, fmt::format("--goal {}: there is no such goal", o.goal),
                  did_you_mean(o.goal, goal_names(), "time, cost, loss or date"));
    }
    file.question.goal = *goal;
  }
  if (problems.empty()) sim::check_question(file.question, problems);
  if (!problems.empty()) refuse(o.search.empty() ? "--goal" : o.search, problems);
  return {std::move(document), std::move(file), *std::move(scenario)};
}

/// What was measured or published of another plan says nothing of this one.
void forget_other_plan(sim::Scenario& planned, const sim::Plan& before,
                       std::vector<std::string>& edits) {
  if (sim::plan_json(planned.plan) == sim::plan_json(before)) return;
  planned.published = {};
  if (!planned.operations.step_time) return;
  planned.operations.step_time.reset();
  edits.emplace_back("operations.step_time=null");
}

void write_best(const Options& o, const sim::Scenario& best) {
  if (!o.output.empty()) write_file(o.output, sim::scenario_json(best));
}

/// No plan is there to be answered with: whose fault is said, and how near one came.
int deliver_none(const Options& o, const sim::Scenario& s, const sim::PlanSearch& search) {
  if (!search.nearest) {
    std::string why = "no plan of the space divides the accelerators, batch and layers";
    std::int64_t most = 0;
    for (const auto& [field, n] : search.refusals) {
      if (n <= most) continue;
      most = n;
      why = fmt::format("no plan of the space keeps the rules: most break that of {}", field);
    }
    throw Error(ExitCode::wrong,
                fmt::format("{}: {} accelerators, {} sequences a step, {} layers", why,
                            s.accelerators, s.plan.global_batch, s.model.layers),
                "state other values under \"plan\" of the search file");
  }
  sim::Scenario nearest = s;
  nearest.plan = *search.nearest;
  const sim::MemoryResult memory =
      sim::step_memory(nearest, sim::make_layout(nearest), sim::Remedies::find);
  JsonWriter json;
  json.begin_object();
  write_question(json, s);
  json.key("feasible").value(false).key("complete").value(search.complete);
  write_memory(json, memory);
  write_counts(json, search.counts);
  write_identity(json, s);
  json.end_object();
  deliver(o, no_plan_text(search, memory), json);
  return static_cast<int>(ExitCode::infeasible);
}

/// One plan may be the fastest with another value of several knobs.
std::vector<Loser> losers(const sim::Scenario& s, const sim::PlanSearch& search,
                          const sim::MeanBreakdown& best) {
  std::vector<Loser> all;
  for (const sim::PlanSearch::RunnerUp& r : search.runners_up) {
    const std::string value = knob_value(r.knob, r.step.plan);
    const auto same = std::ranges::find_if(all, [&](const Loser& l) {
      return sim::plan_json(l.step.plan) == sim::plan_json(r.step.plan);
    });
    if (same != all.end()) {
      same->what += ", " + value;
      continue;
    }
    sim::Scenario other = s;
    other.plan = r.step.plan;
    all.push_back({value, r.step, sim::differences(best, sim::mean_breakdown(other))});
  }
  return all;
}

int plan_alone(const Options& o, const Question& q) {
  const auto begun = std::chrono::steady_clock::now();
  PlanAnswer a;
  {
    Progress progress;
    sim::SearchOptions options;
    options.threads = threads_of(o);
    options.stop = &stop_asked;
    options.progress = [&](const char* what, std::size_t done, std::size_t all) {
      progress.say(what, done, all);
    };
    Problems none;
    a.search = sim::search_plans(q.scenario, sim::space_of(q.document, q.scenario, none), options);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  if (a.search.front.empty()) {
    if (!a.search.complete) throw Error(ExitCode::wrong, "stopped before a plan was found");
    return deliver_none(o, q.scenario, a.search);
  }
  a.asked = a.best = q.scenario;
  a.best.plan = a.search.best().plan;
  a.seconds = took.count();
  a.edits = o.set;
  for (std::string& edit : sim::plan_edits(a.asked.plan, a.best.plan)) {
    a.edits.push_back(std::move(edit));
  }
  forget_other_plan(a.best, a.asked.plan, a.edits);
  a.breakdown = sim::mean_breakdown(a.best);
  a.losers = losers(q.scenario, a.search, a.breakdown);
  const sim::DecisionQuestion& asked = q.file.question;
  const sim::EndLoss loss(a.best, asked.modality);
  std::string broken;
  if (asked.goal != sim::Goal::time || a.best.training_tokens > 0) {
    const sim::StepFacts step{a.search.best().time, sim::simulate_step(a.best).power};
    const auto tokens = sim::tokens_of(asked, a.best, step, loss, broken);
    if (tokens) {
      if (*tokens != a.asked.training_tokens) {
        a.edits.push_back(fmt::format("training_tokens={:.15g}", *tokens));
      }
      a.best.training_tokens = *tokens;
      a.outcome = sim::outcome(a.best, step, *tokens, &loss);
      broken = sim::broken_limit(asked, a.outcome, loss);
    }
  }
  a.broken = broken;
  write_best(o, a.best);
  JsonWriter json;
  json.begin_object();
  write_question(json, a.best);
  json.key("feasible").value(broken.empty());
  write_plan_answer(json, a);
  if (!broken.empty()) json.key("broken_limit").value(broken);
  write_inputs(json, a.best);
  write_identity(json, a.best);
  json.end_object();
  if (!o.report.empty()) write_file(o.report, plan_page(a, page_command(o, "plan")));
  std::string text = plan_answer_text(a, o.arguments.front());
  if (!broken.empty()) text = fmt::format("infeasible: {}\n\n{}", broken, text);
  deliver(o, text, json);
  return broken.empty() ? 0 : static_cast<int>(ExitCode::infeasible);
}

int plan_choices(const Options& o, const Question& q) {
  const sim::MakeScenario make = [&](const std::vector<std::string>& set, Problems& problems) {
    return load_unplanned(o, set, problems);
  };
  const sim::MakeSpace space = [&](const sim::Scenario& s) {
    Problems none;
    return sim::space_of(q.document, s, none);
  };
  DecisionAnswer a;
  a.question = q.file.question;
  Problems problems;
  std::optional<sim::Decision> decision;
  {
    Progress progress;
    sim::DecisionOptions options;
    options.threads = threads_of(o);
    options.stop = &stop_asked;
    options.progress = [&](std::size_t done, std::size_t all) {
      progress.say("points", done, all);
    };
    decision = sim::decide(a.question, make, space, options, problems);
  }
  if (!decision) refuse(o.search, problems);
  a.decision = *std::move(decision);
  const sim::Decision& d = a.decision;
  JsonWriter json;
  json.begin_object();
  if (!d.ranking.empty()) {
    const sim::DecisionPoint& winner = d.points[d.ranking.front()];
    if (d.ranking.size() > 1) {
      a.winner = sim::mean_breakdown(*winner.scenario);
      a.runner_up = sim::mean_breakdown(*d.points[d.ranking[1]].scenario);
    }
    a.sensitivity = sim::sensitivity(a.question, d, q.file.uncertain);
    a.edits = o.set;
    a.edits.insert(a.edits.end(), winner.set.begin(), winner.set.end());
    Problems none;
    const std::optional<sim::Scenario> asked = load_unplanned(o, winner.set, none);
    for (std::string& edit : sim::plan_edits(asked->plan, winner.scenario->plan)) {
      a.edits.push_back(std::move(edit));
    }
    if (asked->training_tokens != winner.scenario->training_tokens) {
      a.edits.push_back(fmt::format("training_tokens={:.15g}", winner.scenario->training_tokens));
    }
    sim::Scenario best = *winner.scenario;
    forget_other_plan(best, asked->plan, a.edits);
    write_best(o, best);
    write_question(json, *winner.scenario);
    write_decision(json, a);
    write_inputs(json, *winner.scenario);
    write_identity(json, *winner.scenario);
  } else {
    write_question(json, q.scenario);
    write_decision(json, a);
    write_identity(json, q.scenario);
  }
  json.end_object();
  if (!o.report.empty()) {
    write_file(o.report, decision_page(a, q.scenario, page_command(o, "plan")));
  }
  deliver(o, decision_text(a, o.arguments.front()), json);
  return d.ranking.empty() ? static_cast<int>(ExitCode::infeasible) : 0;
}

}  // namespace

int plan(const Options& o) {
  check_page_name(o);
  const Question q = read_question(o);
  const StopOnInterrupt stopping;
  return q.file.question.choices.empty() ? plan_alone(o, q) : plan_choices(o, q);
}

}  // namespace forerun::cli
