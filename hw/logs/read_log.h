#pragma once

/// Reads a benchmark's log, whichever tool wrote it: the file's beginning tells the tool, in a
/// table of kinds, and a file of another tool is refused with the name of what it looks like.

#include <cstdint>
#include <optional>
#include <string>

#include "core/problem.h"
#include "hw/logs/tool_log.h"

namespace forerun::hw {

/// Larger files are refused before they are read; printed logs take a few KiB, traces of some steps
/// tens of MiB.
inline constexpr std::uint64_t kLogLimit = 64ull << 20;
/// The same of JSON that is held whole; a trace's events are dropped one by one.
inline constexpr std::uint64_t kJsonLogLimit = 8ull << 20;
/// Of a printed log or a table, before its lines are told apart.
inline constexpr std::int64_t kMostLogLines = 1'000'000;

/// "nccl-tests", "PyTorch profiler trace"
[[nodiscard]] std::string_view name(LogTool);

/// None if anything is wrong with the file; what and where (FILE:LINE) is in the problems. Throws
/// Error if it can't be opened or is too large.
[[nodiscard]] std::optional<ToolLog> read_log(const std::string& path, Problems&);
/// The same of a text in memory.
[[nodiscard]] std::optional<ToolLog> read_log_text(std::string_view text, const std::string& file,
                                                   Problems&);

}  // namespace forerun::hw
