#pragma once

/// Files of the asker's own that a sweep's points read: profiles, topologies, laws, recordings.

#include <cstdint>

#include "sim/sweep/sweep.h"

namespace forerun::sim {

/// Of the name and content of every file that a text of the sweep or of its base names, each once;
/// 0 if there is none. Names and descriptions of the two name no file. A text is taken for a file
/// if there is one, whether or not a reader would open it: too many files only mean that --resume
/// refuses where it might go on.
[[nodiscard]] std::uint64_t own_files_hash(const Sweep&);

}  // namespace forerun::sim
