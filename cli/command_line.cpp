#include "cli/command_line.h"

// The only file that includes CLI11: it costs five seconds of compile time.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/reader.h"

namespace forerun::cli {
namespace {

const Command* find_command(std::string_view name) {
  for (const Command& c : commands()) {
    if (c.name == name) return &c;
  }
  return nullptr;
}

const FlagFacts& facts(Flag flag) {
  for (const FlagFacts& f : flags()) {
    if (f.flag == flag) return f;
  }
  FORERUN_ASSERT(false, "a flag without facts");
}

/// Refuses a command or flag that does not exist, with the nearest that does: CLI11 would only say
/// that the word was not expected.
void check_words(const std::vector<std::string>& words) {
  const Command* command = find_command(words.front());
  if (command == nullptr) {
    std::vector<std::string_view> names;
    for (const Command& c : commands()) names.push_back(c.name);
    throw Error(ExitCode::usage, fmt::format("there is no command \"{}\"", words.front()),
                did_you_mean(words.front(), names, "forerun --help lists the commands"));
  }
  std::vector<std::string> known = {"--help"};
  for (const Flag f : command->flags) known.push_back(fmt::format("--{}", facts(f).name));
  for (const std::string& word : words) {
    if (!word.starts_with("--") || word.size() == 2) continue;
    const std::string flag = word.substr(0, word.find('='));
    if (std::find(known.begin(), known.end(), flag) != known.end()) continue;
    throw Error(
        ExitCode::usage, fmt::format("forerun {} has no flag {}", command->name, flag),
        did_you_mean(flag, known, fmt::format("forerun {} --help lists its flags", command->name)));
  }
}

/// Empty, or the rule that a seed breaks; CLI11 would convert -1 and 1.5 to some count.
std::string seed_rule(const std::string& word) {
  std::int64_t seed = -1;
  const char* const end = word.data() + word.size();
  const auto [rest, error] = std::from_chars(word.data(), end, seed);
  if (error == std::errc{} && rest == end && seed >= 0) return {};
  return fmt::format("expected an integer from 0 to {}, found {}",
                     std::numeric_limits<std::int64_t>::max(), word);
}

/// The rule that a number is from `least` to `most`; CLI11's own lets nan through.
auto number_rule(double least, double most) {
  return [least, most](const std::string& word) -> std::string {
    double value = 0;
    const char* const end = word.data() + word.size();
    const auto [rest, error] = std::from_chars(word.data(), end, value);
    if (error == std::errc{} && rest == end && value >= least && value <= most) return {};
    return fmt::format("expected a number from {:g} to {:g}, found {}", least, most, word);
  };
}

void add_flag(CLI::App& app, Flag flag, Options& o) {
  const FlagFacts& f = facts(flag);
  const std::string name =
      f.letter.empty() ? fmt::format("--{}", f.name) : fmt::format("-{},--{}", f.letter, f.name);
  const std::string summary(f.summary);
  CLI::Option* option = nullptr;
  switch (flag) {
    case Flag::set:
      option = app.add_option(name, o.set, summary)->expected(1)->take_all();
      break;
    case Flag::seed:
      option = app.add_option(name, o.seed, summary)->check(seed_rule);
      break;
    case Flag::chakra:
      option = app.add_option(name, o.chakra, summary);
      break;
    case Flag::faster:
      option = app.add_option(name, o.faster, summary)->expected(1)->take_all();
      break;
    case Flag::schedule:
      option = app.add_option(name, o.schedule, summary)->expected(1)->take_all();
      break;
    case Flag::json:
      option = app.add_option(name, o.json, summary);
      break;
    case Flag::output:
      option = app.add_option(name, o.output, summary);
      break;
    case Flag::trace:
      option = app.add_option(name, o.trace, summary);
      break;
    case Flag::report:
      option = app.add_option(name, o.report, summary);
      break;
    case Flag::profile:
      option = app.add_option(name, o.profile, summary);
      break;
    case Flag::notes:
      option = app.add_option(name, o.notes, summary);
      break;
    case Flag::left_out:
      option = app.add_option(name, o.left_out, summary);
      break;
    case Flag::with:
      option = app.add_option(name, o.with, summary)->expected(1, 10000);
      break;
    case Flag::plot:
      option = app.add_option(name, o.plot, summary);
      break;
    case Flag::threads:
      option = app.add_option(name, o.threads, summary)->check(CLI::Range(1, 1024));
      break;
    case Flag::markdown:
      app.add_flag(name, o.markdown, summary);
      return;
    case Flag::rows:
      app.add_flag(name, o.rows, summary);
      return;
    case Flag::every_kernel:
      app.add_flag(name, o.every_kernel, summary);
      return;
    case Flag::budget:
      option = app.add_option(name, o.budget, summary);
      break;
    case Flag::family:
      option = app.add_option(name, o.families, summary)->expected(1)->take_all();
      break;
    case Flag::plan:
      app.add_flag(name, o.plan, summary);
      return;
    case Flag::advise:
      app.add_flag(name, o.advise, summary);
      return;
    case Flag::search:
      option = app.add_option(name, o.search, summary);
      break;
    case Flag::goal:
      option = app.add_option(name, o.goal, summary);
      break;
    case Flag::resume:
      app.add_flag(name, o.resume, summary);
      return;
    case Flag::store:
      option = app.add_option(name, o.store, summary);
      break;
    case Flag::export_to:
      option = app.add_option(name, o.export_to, summary);
      break;
    case Flag::form:
      option = app.add_option(name, o.form, summary);
      break;
    case Flag::loss:
      option = app.add_option(name, o.loss, summary);
      break;
    case Flag::what:
      option = app.add_option(name, o.what, summary);
      break;
    case Flag::huber:
      option = app.add_option(name, o.huber, summary)->check(number_rule(1e-9, 1));
      break;
    case Flag::draws:
      option = app.add_option(name, o.draws, summary)->check(CLI::Range(1, 1000000));
      break;
    case Flag::bootstrap:
      option = app.add_option(name, o.bootstrap, summary)->check(CLI::Range(0, 100000));
      break;
    case Flag::budget_flops:
      option = app.add_option(name, o.budget_flops, summary)->check(number_rule(1, 1e40));
      break;
  }
  option->type_name(std::string(f.value));
}

void add_command(CLI::App& app, const Command& command, Options& options) {
  CLI::App* sub = app.add_subcommand(std::string(command.name), std::string(command.summary));
  for (const Flag flag : command.flags) add_flag(*sub, flag, options);
  if (!command.argument.empty()) {
    CLI::Option* positional = sub->add_option(std::string(command.argument), options.arguments,
                                              std::string(command.argument_summary))
                                  ->type_name("");
    if (command.least > 0) positional->required();
    if (command.most == 1) {
      positional->expected(static_cast<int>(command.least), 1);
    } else {
      positional->expected(-1);
    }
  }
  std::string footer = "Examples:";
  for (const std::string_view example : command.examples) footer += fmt::format("\n  {}", example);
  sub->footer(footer);
}

}  // namespace

Parsed parse_command_line(const std::vector<std::string>& words) {
  Parsed parsed;
  CLI::App app("How long a training run will take, what it will cost and whether it will fit.",
               "forerun");
  app.footer(
      "forerun COMMAND --help says more. Exit codes: 0 done, 1 the input or the world is "
      "wrong, 2 usage, 3 infeasible, 4 no accelerator.");
  for (const Command& command : commands()) add_command(app, command, parsed.options);

  std::vector<std::string> rest = words;
  if (!rest.empty() && rest.front() == "help") {
    rest.erase(rest.begin());
    rest.push_back("--help");
  }
  if (rest.empty() || rest.front() == "--help" || rest.front() == "-h") {
    parsed.text = app.help();
    return parsed;
  }
  if (rest.front() == "--version") {
    parsed.text = fmt::format("forerun {}\n", FORERUN_VERSION);
    return parsed;
  }
  check_words(rest);
  try {
    // CLI11 takes the words from the end.
    std::reverse(rest.begin(), rest.end());
    app.parse(rest);
  } catch (const CLI::CallForHelp&) {
    parsed.text = app.help();
    return parsed;
  } catch (const CLI::ParseError& e) {
    throw Error(ExitCode::usage, e.what(), fmt::format("forerun {} --help", words.front()));
  }
  parsed.command = find_command(app.get_subcommands().front()->get_name());
  return parsed;
}

}  // namespace forerun::cli
