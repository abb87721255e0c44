#pragma once

/// Wrong input, collected: a reader reports every mistake of a file and the caller decides.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"

namespace forerun {

/// One mistake. `where` is a JSON pointer (or a flag), `what` names the value and the rule it
/// breaks and, for a misspelt name, the nearest valid one.
struct Problem {
  std::string where;
  std::string what;
  bool operator==(const Problem&) const = default;
};

class Problems {
 public:
  void add(std::string where, std::string what);
  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] const std::vector<Problem>& list() const { return list_; }
  /// One line a problem: `SOURCE: WHERE: WHAT`.
  [[nodiscard]] std::string text(const std::string& source) const;

 private:
  std::vector<Problem> list_;
};

/// What was read from `source`, a file of the program's own: throws Error with the problems if
/// there is nothing.
template <class T>
[[nodiscard]] T value_or_throw(std::optional<T> value, const Problems& problems,
                               const std::string& source, std::string hint = {}) {
  if (!value) throw Error(ExitCode::wrong, problems.text(source), std::move(hint));
  return *std::move(value);
}

}  // namespace forerun
