#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "core/error.h"

namespace forerun::cli {
namespace {

/// What went wrong, on standard error: the message's first line after "error:", the others below.
int report(const Error& e) {
  std::string_view message = e.what();
  while (message.ends_with('\n')) message.remove_suffix(1);
  fmt::print(stderr, "error: {}\n", message);
  if (!e.hint().empty()) fmt::print(stderr, "hint: {}\n", e.hint());
  return static_cast<int>(e.code());
}

int main_of(const std::vector<std::string>& words) {
  try {
    const Parsed parsed = parse_command_line(words);
    if (parsed.command == nullptr) {
      fmt::print("{}", parsed.text);
      return static_cast<int>(ExitCode::done);
    }
    return parsed.command->run(parsed.options);
  } catch (const Error& e) {
    return report(e);
  } catch (const std::exception& e) {
    return report(Error(ExitCode::wrong, e.what()));
  }
}

}  // namespace
}  // namespace forerun::cli

int main(int count, char** words) {
  return forerun::cli::main_of(std::vector<std::string>(words + 1, words + count));
}
