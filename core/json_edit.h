#pragma once

/// Writes a JSON file again with some of its values replaced: how a program makes a new profile of
/// an old one without losing what it did not touch.

#include <span>
#include <string>
#include <string_view>

namespace forerun {

/// `pointer` (RFC 6901) leads to a key whose parent object exists; the key itself may be new.
struct JsonEdit {
  std::string pointer;
  std::string value;  ///< JSON text
};

/// `text`, an object, with the edits made in order: keys keep their place and numbers their
/// spelling, new keys come last. Indented by one space; what fits in a line of 110 letters stands
/// in one. Asserts that text and values are JSON and that each parent is an object: the caller has
/// read the file with its own reader before.
[[nodiscard]] std::string edited_json(std::string_view text, std::span<const JsonEdit> edits);

}  // namespace forerun
