#include <fmt/format.h>

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "core/report_errors.h"

namespace forerun::cli {
namespace {

int main_of(const std::vector<std::string>& words) {
  const Parsed parsed = parse_command_line(words);
  if (parsed.command != nullptr) return parsed.command->run(parsed.options);
  fmt::print("{}", parsed.text);
  return 0;
}

}  // namespace
}  // namespace forerun::cli

int main(int count, char** words) {
  return forerun::report_errors([&] { return forerun::cli::main_of({words + 1, words + count}); });
}
