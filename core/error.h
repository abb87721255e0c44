#pragma once

/// The world is not as hoped (a file is missing, a device absent): thrown to `main`, which prints
/// `error:` and `hint:` and exits with `code`. Wrong input is not thrown: see core/problem.h.
/// Our own mistakes stop the program with the failed condition: FORERUN_ASSERT, always on.

#include <stdexcept>
#include <string>
#include <utility>

namespace forerun {

enum class ExitCode : int { done = 0, wrong = 1, usage = 2, infeasible = 3, no_device = 4 };

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message, std::string hint = {})
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}
  [[nodiscard]] ExitCode code() const { return code_; }
  [[nodiscard]] const std::string& hint() const { return hint_; }

 private:
  ExitCode code_;
  std::string hint_;
};

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line,
                                   const std::string& values);

}  // namespace forerun

/// `values` is a std::string that shows what was found, for example fmt::format("tick {}", t).
#define FORERUN_ASSERT(condition, values)                                                  \
  do {                                                                                     \
    if (!(condition)) ::forerun::assertion_failed(#condition, __FILE__, __LINE__, values); \
  } while (false)
