#pragma once

/// Files whole: read within a stated limit, written aside and renamed so that none is half-written.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace forerun {

/// Throws Error if the file is absent, no regular file, or larger than `limit` (checked before
/// reading).
[[nodiscard]] std::string read_file(const std::string& path, std::uint64_t limit);
/// Writes PATH.tmp-PID and renames it over PATH. Throws Error; leaves nothing behind on failure.
void write_file(const std::string& path, std::string_view content);

/// Where the program's own data folders lie (hw/profiles, models/zoo, scenarios): the environment
/// variable FORERUN_DATA, else beside the installed program (../share/forerun), else the source
/// tree that it was built from. Throws Error naming what was tried.
[[nodiscard]] std::string data_path(std::string_view relative);
/// The names of the files in a data folder that end in `extension`, without it, sorted.
[[nodiscard]] std::vector<std::string> data_names(std::string_view folder,
                                                  std::string_view extension = ".json");

}  // namespace forerun
