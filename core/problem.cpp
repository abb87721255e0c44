#include "core/problem.h"

#include <fmt/format.h>

#include <utility>

namespace forerun {
namespace {

/// Control characters would break "one line a problem" and could steer a terminal.
void append_printable(std::string& out, const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
}

}  // namespace

void Problems::add(std::string where, std::string what) {
  list_.push_back({std::move(where), std::move(what)});
}

std::string Problems::text(const std::string& source) const {
  std::string out;
  for (const Problem& problem : list_) {
    append_printable(out, source);
    if (!problem.where.empty()) {
      out += ": ";
      append_printable(out, problem.where);
    }
    out += ": ";
    append_printable(out, problem.what);
    out += '\n';
  }
  return out;
}

}  // namespace forerun
