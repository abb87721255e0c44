// forerun sweep: many scenarios that differ in stated ways, every answer stored.

#include "sim/sweep/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <optional>
#include <thread>

#include "cli/command.h"
#include "cli/load.h"
#include "cli/report.h"
#include "cli/shell.h"
#include "cli/sweep_report.h"
#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "core/table.h"
#include "sim/sweep/export.h"
#include "sim/sweep/rank_crew.h"
#include "sim/sweep/run_sweep.h"
#include "sim/sweep/shipped_data.h"
#include "sim/sweep/thread_crew.h"

namespace forerun::cli {
namespace {

constexpr std::size_t kBest = 5;

// A handler can reach nothing but a variable of the program.
volatile std::sig_atomic_t stop_asked = 0;

/// While it lives the first Ctrl-C (or SIGTERM) asks to stop, a second one stops at once. Writing
/// beyond a limit of file sizes is an error and no signal.
class Signals {
 public:
  Signals() {
    struct sigaction action{};
    action.sa_handler = [](int) { stop_asked = 1; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &before_[0]);
    sigaction(SIGTERM, &action, &before_[1]);
    struct sigaction ignore{};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &ignore, &before_[2]);
  }
  ~Signals() {
    sigaction(SIGINT, &before_[0], nullptr);
    sigaction(SIGTERM, &before_[1], nullptr);
    sigaction(SIGXFSZ, &before_[2], nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  std::array<struct sigaction, 3> before_{};
};

bool stopped() { return stop_asked != 0; }

std::string sweep_path(const std::string& name) {
  std::error_code ignored;
  const bool looks_like_name = name.find('/') == std::string::npos && !name.ends_with(".json");
  if (std::filesystem::exists(name, ignored) || !looks_like_name) return name;
  const std::vector<std::string> names = data_names("scenarios/sweeps");
  if (std::ranges::find(names, name) != names.end()) {
    return data_path("scenarios/sweeps/" + name + ".json");
  }
  throw Error(ExitCode::wrong,
              fmt::format("there is no file and no sweep of the name \"{}\"", name),
              did_you_mean(name, names, fmt::format("there are {}", fmt::join(names, ", "))));
}

sim::Sweep load_sweep(const std::string& path) {
  Problems problems;
  std::optional<sim::Sweep> s = sim::read_sweep(read_file(path, kMaxJsonBytes), problems);
  if (!s) refuse(path, problems);
  return *std::move(s);
}

sim::StoreMode mode_of(const Options& o) {
  return o.resume ? sim::StoreMode::resume : sim::StoreMode::fresh;
}

int threads_of(const Options& o) {
  return o.threads > 0 ? o.threads
                       : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// Answers what is missing, in this process or, where there are `ranks`, in the others.
void fill(const Options& o, const sim::Sweep& s, sim::SweepStore& store, sim::Ranks* ranks) {
  const std::vector<std::int64_t> points = sim::missing_points(s, store);
  SweepProgress progress(s.points(), store.count());
  std::optional<sim::PointAnswerer> answerer;
  std::unique_ptr<sim::Crew> crew;
  if (ranks != nullptr) {
    crew = ranks->crew(points);
  } else {
    auto threads = std::make_unique<sim::ThreadCrew>(answerer.emplace(s), threads_of(o));
    threads->give(points);
    crew = std::move(threads);
  }
  if (sim::run_sweep(s, store, *crew, std::ref(progress), stopped)) return;
  throw Error(ExitCode::wrong,
              fmt::format("stopped: {} of {} points are stored in {}",
                          show_count(static_cast<double>(store.count())),
                          show_count(static_cast<double>(s.points())), store.path()),
              fmt::format("forerun sweep {} --store {} --resume goes on",
                          shell_quoted(o.arguments[0]), shell_quoted(store.path())));
}

void report(const Options& o, const sim::Sweep& s) {
  if (!o.export_to.empty()) sim::export_sweep(s, o.store, o.export_to);
  const sim::SweepSummary summary = sim::summarise(o.store, kBest);
  JsonWriter json;
  write_sweep(json, s, summary, o.store);
  deliver(o, sweep_text(s, summary, o.store), json);
}

/// What all processes of a job must have alike.
std::uint64_t identity(const sim::Sweep& s) {
  return hash_text(fmt::format("{:016x} {} {}", s.hash, sim::shipped_data_hash(), FORERUN_VERSION));
}

int sweep_alone(const Options& o) {
  const sim::Sweep s = load_sweep(sweep_path(o.arguments[0]));
  {
    sim::SweepStore store(o.store, s, FORERUN_VERSION, mode_of(o));
    if (!store.finished()) fill(o, s, store, nullptr);
  }
  report(o, s);
  return 0;
}

int sweep_first(const Options& o, sim::Ranks& ranks) {
  std::optional<sim::Sweep> s;
  std::optional<sim::SweepStore> store;
  try {
    s = load_sweep(sweep_path(o.arguments[0]));
    store.emplace(o.store, *s, FORERUN_VERSION, mode_of(o));
  } catch (...) {
    (void)ranks.first_says(false);
    throw;
  }
  (void)ranks.first_says(true);
  if (!ranks.all_say(true) || !ranks.all_have(identity(*s))) {
    throw Error(ExitCode::wrong, "the processes of the job do not read the same sweep",
                "the sweep's file, its base and forerun itself must be the same on every machine");
  }
  if (!store->finished()) {
    fill(o, *s, *store, &ranks);
  } else {
    // Nothing to hand out, which they are told when they ask.
    const auto crew = ranks.crew({});
    while (!crew->done()) (void)crew->take();
  }
  store.reset();
  report(o, *s);
  return 0;
}

int sweep_other(const Options& o, sim::Ranks& ranks) {
  // What the first says of the same file, it says for all.
  if (!ranks.first_says(false)) return static_cast<int>(ExitCode::wrong);
  std::optional<sim::Sweep> s;
  try {
    s = load_sweep(sweep_path(o.arguments[0]));
  } catch (...) {
    (void)ranks.all_say(false);
    throw;
  }
  if (!ranks.all_say(true) || !ranks.all_have(identity(*s)))
    return static_cast<int>(ExitCode::wrong);
  sim::PointAnswerer answerer(*s);
  const bool well = ranks.serve(answerer, threads_of(o), stopped);
  return static_cast<int>(well ? ExitCode::done : ExitCode::wrong);
}

}  // namespace

int sweep(const Options& o) {
  if (o.store.empty()) {
    throw Error(ExitCode::usage, "a sweep needs --store FILE, where its answers go",
                fmt::format("forerun sweep {} --store answers.sqlite", o.arguments[0]));
  }
  const Signals signals;
  if (sim::job_ranks() == 1) return sweep_alone(o);
  sim::Ranks ranks;
  if (ranks.count() == 1) return sweep_alone(o);
  return ranks.rank() == 0 ? sweep_first(o, ranks) : sweep_other(o, ranks);
}

}  // namespace forerun::cli
