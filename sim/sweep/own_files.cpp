#include "sim/sweep/own_files.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <string>
#include <system_error>

#include "core/file.h"
#include "core/json_at.h"
#include "core/random.h"

namespace forerun::sim {
namespace {

/// Larger ones no reader takes.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

/// No reader opens what these name.
bool is_title(const std::string& pointer) {
  return pointer == "/name" || pointer == "/description" || pointer == "/base/name" ||
         pointer == "/base/description" || pointer.ends_with("/source");
}

void add_files(const std::string& json, std::map<std::string, std::uint64_t>& files) {
  for (const auto& [pointer, text] : json_texts(json)) {
    std::error_code none;  // what can't be looked at is no file
    if (text.empty() || is_title(pointer) || files.contains(text) ||
        !std::filesystem::is_regular_file(text, none) ||
        std::filesystem::file_size(text, none) > kMostBytes || none) {
      continue;
    }
    files.emplace(text, hash_text(read_file(text, kMostBytes)));
  }
}

}  // namespace

std::uint64_t own_files_hash(const Sweep& s) {
  std::map<std::string, std::uint64_t> files;
  add_files(s.text, files);
  add_files(s.base, files);
  std::string all;
  for (const auto& [name, hash] : files) all += fmt::format("{}\n{:016x}\n", name, hash);
  return all.empty() ? 0 : hash_text(all);
}

}  // namespace forerun::sim
