#pragma once

/// The text of a trace's file, unpacked if it is gzip (by its first bytes, whatever its name).

#include <cstdint>
#include <string>

namespace forerun::replay {

/// Bytes of a trace, unpacked: five million rows of a table.
inline constexpr std::uint64_t kMostTraceBytes = 512ull << 20;

/// Throws Error for a file that is absent, too large, or packed and damaged. A packed file is
/// refused as soon as it turns out larger than the limit.
[[nodiscard]] std::string read_trace_text(const std::string& path,
                                          std::uint64_t limit = kMostTraceBytes);

}  // namespace forerun::replay
