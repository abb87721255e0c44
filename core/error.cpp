#include "core/error.h"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>

namespace forerun {

void assertion_failed(const char* condition, const char* file, int line,
                      const std::string& values) {
  fmt::print(stderr, "{}:{}: this is a mistake in forerun: {} is false ({})\n", file, line,
             condition, values);
  std::abort();
}

}  // namespace forerun
