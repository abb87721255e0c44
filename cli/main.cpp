#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <vector>

#include "cli/command_line.h"
#include "core/error.h"
#include "core/report_errors.h"

namespace forerun::cli {
namespace {

int answer(const std::vector<std::string>& words) {
  const Parsed parsed = parse_command_line(words);
  if (parsed.command != nullptr) return parsed.command->run(parsed.options);
  fmt::print("{}", parsed.text);
  return 0;
}

/// An answer that did not reach its reader is none: a full disk shows when the output is flushed.
int main_of(const std::vector<std::string>& words) {
  const int code = answer(words);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw Error(ExitCode::wrong, fmt::format("can't write standard output: {}",
                                             std::generic_category().message(errno)));
  }
  return code;
}

}  // namespace
}  // namespace forerun::cli

int main(int count, char** words) {
  return forerun::report_errors([&] { return forerun::cli::main_of({words + 1, words + count}); });
}
