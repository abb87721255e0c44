#pragma once

/// Writes JSON text, value by value: keys in the order they are given, numbers with the fewest
/// digits that read back as the same number, indented by two spaces.
///
///   JsonWriter json;
///   json.begin_object().key("days").value(61.2).key("stages").begin_array();
///   ...
///   json.end_array().end_object();
///   json.text();

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forerun {

class JsonWriter {
 public:
  JsonWriter& begin_object() { return begin('{'); }
  JsonWriter& end_object() { return end('}'); }
  JsonWriter& begin_array() { return begin('['); }
  JsonWriter& end_array() { return end(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  /// Asserts a finite number: what is not known is null.
  JsonWriter& value(double number);
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(bool truth);
  JsonWriter& null();
  template <class T>
  JsonWriter& value(const std::optional<T>& v) {
    return v ? value(*v) : null();
  }
  /// The document, ended by a newline. Asserts that all that was begun has ended.
  [[nodiscard]] std::string text() const;

 private:
  JsonWriter& begin(char bracket);
  JsonWriter& end(char bracket);
  JsonWriter& put(std::string_view literal);
  void separate();

  std::string out_;
  std::vector<bool> first_;  ///< of each open container: nothing written in it yet
  bool after_key_ = false;
};

/// The text in quotes, escaped as RFC 8259 asks; bytes that are no UTF-8 are the caller's business.
[[nodiscard]] std::string json_quoted(std::string_view text);

}  // namespace forerun
