#pragma once

/// What comes with forerun and moves its answers beside its code: profiles, models, laws, bands.

#include <string>

namespace forerun::sim {

/// The hash, in hexadecimal digits, of the names and contents of all files in the folders of data,
/// however they lie in them. Read once (a megabyte in some 400 files, under 20 ms). Throws Error
/// where a folder is missing.
[[nodiscard]] const std::string& shipped_data_hash();
/// The same for the data that `data_path` finds now, read anew.
[[nodiscard]] std::string read_shipped_data_hash();

}  // namespace forerun::sim
