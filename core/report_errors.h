#pragma once

/// What a program's `main` does with an exception.

#include <functional>

namespace forerun {

/// The exit code of `work`. An Error becomes its message and hint on standard error, after "error:"
/// and "hint:", and its own code; any other exception becomes an error too.
[[nodiscard]] int report_errors(const std::function<int()>& work);

}  // namespace forerun
