#pragma once

/// A copy of the data that come with forerun, for tests that edit them: FORERUN_DATA names it while
/// it lives.

#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/file.h"
#include "tests/folder.h"

namespace forerun {

struct ShippedCopy {
  ShippedCopy() {
    namespace fs = std::filesystem;
    for (const char* part :
         {"hw/profiles", "models/zoo", "models/laws", "models/mixtures", "models/modalities",
          "models/recordings", "models/stability", "sim/frameworks", "sim/bands.json",
          "sim/published_runs.json", "scenarios"}) {
      const fs::path to = fs::path(path) / part;
      fs::create_directories(to.parent_path());
      fs::copy(data_path(part), to, fs::copy_options::recursive);
    }
    const char* chosen = std::getenv("FORERUN_DATA");
    before = chosen == nullptr ? "" : chosen;
    setenv("FORERUN_DATA", path.c_str(), 1);
  }
  ~ShippedCopy() {
    before.empty() ? unsetenv("FORERUN_DATA") : setenv("FORERUN_DATA", before.c_str(), 1);
  }
  ShippedCopy(const ShippedCopy&) = delete;
  ShippedCopy& operator=(const ShippedCopy&) = delete;
  testing::Folder folder;
  std::string path = folder.path(), before;
};

}  // namespace forerun
