#pragma once

/// Runs the built program as somebody at a terminal would.

#include <string>
#include <vector>

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

/// A folder of its own for files that a test writes, removed at the end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const;
  /// Writes a file and returns its path.
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const;

 private:
  std::string folder_;
};

}  // namespace forerun::testing
