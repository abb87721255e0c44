#pragma once

/// Execution traces in the bytes that ASTRA-sim 2 and Chakra's tools read: a GlobalMetadata
/// message, then a Node message for each node, each after its length as a varint.

#include <optional>
#include <string>
#include <string_view>

#include "core/problem.h"
#include "sim/chakra/execution_trace.h"

namespace forerun::chakra {

[[nodiscard]] std::string encode(const ExecutionTrace&);

/// Reports where a message is cut off or damaged, by number; unknown fields are passed over. A file
/// may hold no more nodes than it has bytes, so memory is bounded by its size.
[[nodiscard]] std::optional<ExecutionTrace> decode(std::string_view bytes, Problems&);

/// Whether the bytes begin with a GlobalMetadata message.
[[nodiscard]] bool is_binary_trace(std::string_view bytes);

}  // namespace forerun::chakra
