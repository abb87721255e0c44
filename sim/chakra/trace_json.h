#pragma once

/// Execution traces as JSON: messages one after another in protobuf's JSON mapping, as Chakra's
/// jsonizer prints a binary trace. Keys may be in camel case or as in the schema ("dataDeps",
/// "data_deps"), whole numbers of 64 bits in quotes or not, enumerators by name or number.

#include <optional>
#include <string_view>

#include "core/problem.h"
#include "sim/chakra/execution_trace.h"

namespace forerun::chakra {

/// The first message may be GlobalMetadata; all others are nodes. Reports what is wrong by message.
[[nodiscard]] std::optional<ExecutionTrace> read_json_trace(std::string_view text, Problems&);

}  // namespace forerun::chakra
