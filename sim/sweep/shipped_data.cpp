#include "sim/sweep/shipped_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <vector>

#include "core/file.h"
#include "core/random.h"
#include "core/reader.h"

namespace forerun::sim {
namespace {

namespace fs = std::filesystem;

/// As they are installed; scenarios are left out, as a sweep's base is in its own hash.
constexpr std::array kFolders = {"hw/profiles",     "models/zoo",        "models/laws",
                                 "models/mixtures", "models/modalities", "models/recordings",
                                 "sim/frameworks"};
constexpr std::array kFiles = {"models/stability/anchors.json", "models/stability/constants.json",
                               "sim/bands.json", "sim/published_runs.json"};
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

}  // namespace

std::string read_shipped_data_hash() {
  std::vector<std::string> names(kFiles.begin(), kFiles.end());
  for (const char* folder : kFolders) {
    const fs::path root = data_path(folder);
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".json" && extension != ".jsonl") continue;
      names.push_back(fmt::format("{}/{}", folder, fs::relative(entry.path(), root).string()));
    }
  }
  std::ranges::sort(names);
  std::string all;
  for (const std::string& name : names) {
    all += fmt::format("{}\n{:016x}\n", name, hash_text(read_file(data_path(name), kMostBytes)));
  }
  return fmt::format("{:016x}", hash_text(all));
}

const std::string& shipped_data_hash() {
  static const std::string hash = read_shipped_data_hash();
  return hash;
}

}  // namespace forerun::sim
