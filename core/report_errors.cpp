#include "core/report_errors.h"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string_view>

#include "core/error.h"

namespace forerun {
namespace {

int report(const Error& e) {
  std::string_view message = e.what();
  while (message.ends_with('\n')) message.remove_suffix(1);
  fmt::print(stderr, "error: {}\n", message);
  if (!e.hint().empty()) fmt::print(stderr, "hint: {}\n", e.hint());
  return static_cast<int>(e.code());
}

}  // namespace

int report_errors(const std::function<int()>& work) {
  try {
    return work();
  } catch (const Error& e) {
    return report(e);
  } catch (const std::exception& e) {
    return report(Error(ExitCode::wrong, e.what()));
  }
}

}  // namespace forerun
