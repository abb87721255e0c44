#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <sstream>
#include <thread>
#include <variant>

#include "cli/command.h"
#include "cli/load.h"
#include "cli/report.h"
#include "cli/scoreboard_report.h"
#include "core/error.h"
#include "core/file.h"
#include "core/table.h"
#include "hw/accelerator.h"
#include "hw/collective.h"
#include "hw/kernel_table.h"
#include "sim/published_row.h"
#include "sim/row_outcome.h"
#include "sim/scoreboard.h"

namespace forerun::cli {
namespace {

/// Above this many rows only their groups are printed, unless --rows asks for each.
constexpr std::size_t kMostRows = 60;

using Row = std::variant<sim::PublishedRow, sim::RefusedRow>;

/// Reads the rows of a file. A line that is no JSON object is a problem; a row that can't be
/// simulated is kept with its reason, under its line's number if it has no id.
void read_rows(const std::string& path, sim::PublishedRowReader& reader, std::vector<Row>& rows,
               Problems& problems) {
  std::istringstream lines(read_file(path, kMaxJsonBytes));
  std::string line;
  const std::size_t before = rows.size();
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (line.empty()) continue;
    Problems syntax;
    (void)JsonDocument::parse(line, syntax);
    for (const Problem& p : syntax.list()) {
      problems.add(fmt::format("line {}", number), fmt::format("{}: {}", p.where, p.what));
    }
    if (!syntax.empty()) continue;
    rows.push_back(reader.read(line));
    if (auto* refused = std::get_if<sim::RefusedRow>(&rows.back());
        refused != nullptr && refused->id.empty()) {
      refused->id = fmt::format("{} line {}", path, number);
    }
  }
  if (rows.size() == before && problems.empty()) problems.add("", "no rows");
}

/// How far it is and how long it will take, on a terminal's standard error.
class Progress {
 public:
  explicit Progress(std::size_t all)
      : all_(all), shown_(isatty(STDERR_FILENO) == 1), begin_(Clock::now()) {}
  ~Progress() {
    if (shown_) fmt::print(stderr, "\r\033[K");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void operator()(std::size_t done) {
    if (!shown_ || done % 16 != 0) return;
    const std::lock_guard lock(mutex_);
    const double spent = std::chrono::duration<double>(Clock::now() - begin_).count();
    const double left = spent / static_cast<double>(done) * static_cast<double>(all_ - done);
    fmt::print(stderr, "\r{} of {} rows, {} left\033[K", done, all_, show(Seconds(left)));
    std::fflush(stderr);
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::size_t all_;
  bool shown_;
  Clock::time_point begin_;
  std::mutex mutex_;
};

NamedTableScores score_table(const std::string& path, const hw::Accelerator& accelerator,
                             const hw::Network& network) {
  Problems problems;
  const std::optional<hw::KernelTable> table =
      hw::read_kernel_table(read_file(path, kMaxJsonBytes), problems);
  if (!table) refuse(path, problems);
  return {std::filesystem::path(path).filename().string(),
          hw::score(*table, accelerator, &network)};
}

std::vector<NamedTableScores> score_tables(const Options& o,
                                           const std::vector<std::string>& paths) {
  if (paths.empty()) return {};
  if (o.profile.empty()) {
    throw Error(ExitCode::usage,
                fmt::format("{} is a table of kernel times: which accelerator's?", paths.front()),
                "--profile h100-sxm-80gb, for example; forerun list profiles names them");
  }
  const hw::Accelerator accelerator = hw::load_accelerator(o.profile);
  // Only the inside of a scale-up domain is in such tables.
  constexpr std::int64_t kDomain = 8;
  const hw::Network network = hw::make_network(o.profile, kDomain, kDomain, Bandwidth{});
  std::vector<NamedTableScores> scores;
  for (const std::string& path : paths) scores.push_back(score_table(path, accelerator, network));
  return scores;
}

}  // namespace

int validate(const Options& o) {
  std::vector<std::string> tables;
  std::vector<Row> rows;
  sim::PublishedRowReader reader;
  for (const std::string& path : o.arguments) {
    if (path.ends_with(".csv")) {
      tables.push_back(path);
      continue;
    }
    Problems problems;
    read_rows(path, reader, rows, problems);
    if (!problems.empty()) refuse(path, problems);
  }
  const std::vector<NamedTableScores> kernels = score_tables(o, tables);
  const int threads = o.threads > 0
                          ? o.threads
                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  std::vector<sim::RowOutcome> outcomes;
  {
    Progress progress(rows.size());
    outcomes = sim::predict_rows(rows, sim::load_error_bands(), threads, std::ref(progress));
  }
  const Notes notes = o.notes.empty() ? Notes{} : read_notes(o.notes);
  sim::Scoreboard board = sim::make_scoreboard(outcomes, o.seed.value_or(1));
  if (!o.left_out.empty()) {
    sim::add_left_out(board, read_left_out(o.left_out), o.seed.value_or(1));
  }

  if (!rows.empty()) fmt::print(stderr, "{}", unused_notes_text(board, notes));
  JsonWriter json;
  json.begin_object();
  if (!rows.empty()) write_scoreboard(json, board, outcomes);
  if (!kernels.empty()) write_kernel_scores(json, kernels);
  json.key("version").value(FORERUN_VERSION).end_object();
  std::string text;
  if (!rows.empty()) {
    text += o.markdown
                ? scoreboard_markdown(board, notes)
                : scoreboard_text(board, outcomes, notes, o.rows || outcomes.size() <= kMostRows);
  }
  if (!kernels.empty()) {
    const Table table = kernels_table(kernels);
    text += (text.empty() ? "" : "\n") + (o.markdown ? table.markdown() : table.text());
  }
  deliver(o, text, json);
  return 0;
}

}  // namespace forerun::cli
