#pragma once

/// Runs the built program as somebody at a terminal would.

#include <string>
#include <vector>

#include "tests/folder.h"

namespace forerun::testing {

struct Ran {
  int code = -1;         ///< exit code
  std::string out, err;  ///< standard output and standard error
  double seconds = 0;    ///< wall time
};

/// Runs `forerun` with these words.
[[nodiscard]] Ran forerun(const std::vector<std::string>& words);
/// The same with its standard output at `path`, which is not read back.
[[nodiscard]] Ran forerun_into(const std::string& path, const std::vector<std::string>& words);

[[nodiscard]] inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace forerun::testing
