#pragma once

/// Parts of a JSON text as JSON text: for programs that pass values on without knowing their types,
/// where a Reader would ask for one. What can't be read has no parts; the caller has told so
/// before.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forerun {

/// The value at `pointer` (RFC 6901; "": the whole), in one line; nothing if there is none.
[[nodiscard]] std::optional<std::string> json_at(std::string_view text, std::string_view pointer);
/// The elements of the array there; nothing if there is no array.
[[nodiscard]] std::optional<std::vector<std::string>> json_elements(std::string_view text,
                                                                    std::string_view pointer);
/// Pointers to all values inside objects and arrays, those that hold others before what they hold.
[[nodiscard]] std::vector<std::string> json_pointers(std::string_view text);
/// A text, with the pointer to it.
struct JsonText {
  std::string pointer, text;
};
/// All texts inside objects and arrays, in their order; keys are none.
[[nodiscard]] std::vector<JsonText> json_texts(std::string_view text);

/// The pointer that a dotted path ("plan.tensor") stands for; a pointer stays what it is.
[[nodiscard]] std::string json_pointer(std::string_view path);
/// The dotted path of a pointer, where no key has a dot; else the pointer itself.
[[nodiscard]] std::string json_path(std::string_view pointer);

}  // namespace forerun
