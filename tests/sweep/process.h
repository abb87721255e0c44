#pragma once

/// Starts the built program and lets a test disturb it: kill it, limit it, take its rights away.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/cli/program.h"

namespace forerun::testing {

struct Conditions {
  std::optional<std::uint64_t> largest_file;  ///< bytes, beyond which writes fail
  bool as_nobody = false;                     ///< where the test runs as root
};

class Process {
 public:
  /// `words`: a program and its arguments; found by PATH.
  explicit Process(const std::vector<std::string>& words, const Conditions& = {});
  ~Process();  ///< kills it if it runs still
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  [[nodiscard]] pid_t id() const { return id_; }
  void signal(int number) const;
  /// Waits for its end; the code is 128 + n where signal n ended it. `out` is its output and its
  /// errors together.
  [[nodiscard]] Ran wait();
  /// Processes that it started and that run still.
  [[nodiscard]] std::vector<pid_t> children() const;

 private:
  Folder folder_;
  pid_t id_ = -1;
};

/// A variable of another process's environment; empty if it has none.
[[nodiscard]] std::string environment_of(pid_t, const std::string& variable);
[[nodiscard]] bool on_path(const std::string& program);

}  // namespace forerun::testing
