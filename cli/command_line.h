#pragma once

/// From the words of a command line to a subcommand and its options.

#include <string>
#include <vector>

#include "cli/command.h"

namespace forerun::cli {

struct Parsed {
  const Command* command = nullptr;  ///< null: `text` is what was asked for (help, version)
  Options options;
  std::string text;
};

/// `words` without the program's name. Wrong usage throws Error with exit code 2 and, for a
/// misspelt command or flag, the nearest one as its hint.
[[nodiscard]] Parsed parse_command_line(const std::vector<std::string>& words);

}  // namespace forerun::cli
