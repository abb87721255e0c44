#pragma once

/// Words of command lines that people copy.

#include <string>

namespace forerun::cli {

/// A word as a POSIX shell reads it back.
[[nodiscard]] std::string shell_quoted(const std::string& word);

}  // namespace forerun::cli
