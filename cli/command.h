#pragma once

/// The subcommands of `forerun`: one table from which the parser, the help and the completion come.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forerun::cli {

/// What the command line said.
struct Options {
  std::vector<std::string> arguments;
  std::vector<std::string> set;               ///< PATH=VALUE
  std::vector<std::string> with;              ///< files of measurements
  std::vector<std::string> faster, schedule;  ///< KIND=FACTOR; names of schedules
  std::optional<std::uint64_t> seed;
  std::string json, output, trace, report, profile, notes, left_out, chakra,
      plot;                      ///< empty: not asked for
  int threads = 0;               ///< 0: one for each processor
  std::optional<double> budget;  ///< seconds
  std::string form, loss, what;  ///< of the law to fit
  std::string search, goal;      ///< of a plan: its file; what is best
  std::optional<double> huber, budget_flops;
  std::optional<std::int64_t> bootstrap, draws;
  std::vector<std::string> families;  ///< of the probe
  std::string store, export_to;       ///< of a sweep
  bool resume = false;
  bool markdown = false, rows = false, every_kernel = false, plan = false, advise = false;
};

enum class Flag : std::uint8_t {
  set,
  seed,
  json,
  output,
  trace,
  report,
  profile,
  notes,
  left_out,
  with,
  plot,
  threads,
  markdown,
  rows,
  every_kernel,
  chakra,
  faster,
  schedule,
  budget,
  family,
  plan,
  form,
  loss,
  what,
  huber,
  bootstrap,
  budget_flops,
  advise,
  draws,
  search,
  goal,
  store,
  resume,
  export_to
};

/// `name` without its hyphens; `value` names what follows it, empty for a switch; `letter` is
/// short for the name, if there is one.
struct FlagFacts {
  Flag flag;
  std::string_view name, value, summary, letter = {};
};
[[nodiscard]] std::span<const FlagFacts> flags();

struct Command {
  std::string_view name, summary;
  std::string_view argument, argument_summary;  ///< of the positional arguments; empty: none
  std::size_t least = 0, most = 0;              ///< how many of them
  std::vector<Flag> flags;
  std::vector<std::string_view> examples;
  int (*run)(const Options&);  ///< returns the exit code
};
[[nodiscard]] const std::vector<Command>& commands();

int run(const Options&);
int step(const Options&);
int loss(const Options&);
int compare(const Options&);
int network(const Options&);
int replay(const Options&);
int import(const Options&);
int calibrate(const Options&);
int fit(const Options&);
int probe(const Options&);
int sweep(const Options&);
int validate(const Options&);
int check(const Options&);
int list(const Options&);
int plan(const Options&);

}  // namespace forerun::cli
