#pragma once

/// Changes one fact of a profile's or preset's JSON text and leaves every other byte as it is.

#include <string>
#include <string_view>

namespace forerun::published {

/// A fact is `"NAME": {"value": ..., "evidence": ..., "source": ...}`, wherever it stands in the
/// text. Texts are JSON: `value` as it shall stand there, `evidence` and `source` plain. Throws
/// Error if there is not exactly one such fact.
[[nodiscard]] std::string with_fact(std::string_view text, std::string_view name,
                                    std::string_view value, std::string_view evidence,
                                    std::string_view source);
/// As above, the value alone.
[[nodiscard]] std::string with_value(std::string_view text, std::string_view name,
                                     std::string_view value);

}  // namespace forerun::published
