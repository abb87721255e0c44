#pragma once

/// Makes a mistake in a right text, for tests of what readers refuse.

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace forerun {

/// `text` with its first `from` replaced by `to`; the test case ends if it has none.
inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

}  // namespace forerun
