#pragma once

/// The values of a JSON document as the reader sees them; for the .cpp files of core only.
///
/// Our own type rather than the parser's, because a number's spelling matters here (3.0 is not an
/// integer, 10^30 is not a double) and because objects of a hostile file must be looked up and
/// checked for equal keys in n log n.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/problem.h"

namespace forerun::json {

struct Value;
struct Member;

struct Array {
  std::vector<Value> items;
};

struct Object {
  std::vector<Member> members;        ///< in the file's order
  std::vector<std::uint32_t> sorted;  ///< indices of `members` by key

  /// Null if there is no such key.
  [[nodiscard]] const Value* find(std::string_view key) const;
  [[nodiscard]] Value* find(std::string_view key);
  /// Adds a key that is not there yet.
  void add(std::string key, Value value);
  /// Sorts; returns the keys that stand there more than once.
  std::vector<std::string> index();
};

/// A number that is no 64-bit integer, with the digits it was written with.
struct Real {
  double value;
  std::string spelling;
};

struct Value {
  std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, Real, std::string, Array, Object>
      v;
};

struct Member {
  std::string key;
  Value value;
};

/// `key` as the next part of a JSON pointer (RFC 6901: ~ is ~0, / is ~1), with its leading slash.
[[nodiscard]] std::string pointer_part(std::string_view key);
/// The keys of a pointer, unescaped.
[[nodiscard]] std::vector<std::string> pointer_parts(std::string_view pointer);
/// The value in a message: JSON, at most 60 letters; containers only by name.
[[nodiscard]] std::string shown(const Value& value);
[[nodiscard]] std::string quoted(std::string_view text);
/// The value as JSON in one line; numbers keep their spelling.
[[nodiscard]] std::string text(const Value& value);
/// False if `text` could not be read to its end; every reason is in `problems`.
bool parse(std::string_view text, Value& root, Problems& problems);

}  // namespace forerun::json
