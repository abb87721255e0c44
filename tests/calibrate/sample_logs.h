#pragma once

/// The logs of tests/logs.

#include <string>

#include "core/file.h"
#include "hw/logs/read_log.h"

namespace forerun::testing {

inline std::string log_path(const std::string& name) { return data_path("tests/logs/" + name); }
inline std::string log_text(const std::string& name) {
  return read_file(log_path(name), hw::kLogLimit);
}

/// The text with `what` replaced where it first stands; empty where it does not.
inline std::string replaced_once(std::string text, const std::string& what,
                                 const std::string& with) {
  const std::size_t at = text.find(what);
  return at == text.npos ? std::string{} : text.replace(at, what.size(), with);
}

}  // namespace forerun::testing
