#include "cli/shell.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace forerun::cli {

std::string shell_quoted(const std::string& word) {
  constexpr std::string_view kPlain = "_./=:,+@%-";
  const bool plain = !word.empty() && std::ranges::all_of(word, [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || kPlain.find(c) != kPlain.npos;
  });
  if (plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace forerun::cli
