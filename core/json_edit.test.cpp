#include "core/json_edit.h"

#include <doctest/doctest.h>

#include <array>

using namespace forerun;

TEST_CASE("an edit replaces a value and leaves order, spelling and everything else") {
  const std::string text = R"({"b": 1.50, "a": {"value": "3 us", "n": [1, 2]}, "c": null})";
  CHECK(edited_json(text, {}) == text + "\n");
  const std::array edits = {JsonEdit{"/a/value", "\"4 us\""}, JsonEdit{"/d", "{\"x\": [1e-3]}"}};
  CHECK(edited_json(text, edits) ==
        "{\"b\": 1.50, \"a\": {\"value\": \"4 us\", \"n\": [1, 2]}, \"c\": null, \"d\": {\"x\": "
        "[1e-3]}}\n");
}

TEST_CASE("pointers are unescaped as RFC 6901 says") {
  const std::array edits = {JsonEdit{"/a~1b/~0", "2"}};
  CHECK(edited_json(R"({"a/b": {"~": 1}})", edits) == "{\"a/b\": {\"~\": 2}}\n");
}

TEST_CASE("long lists fill lines and objects break into lines") {
  std::string list = "[";
  for (int i = 0; i < 200; ++i) list += (i > 0 ? "," : "") + std::to_string(1000 + i);
  const std::string text = edited_json("{\"k\": " + list + "]}", {});
  CHECK(text.starts_with("{\n \"k\": [\n  1000, 1001,"));
  CHECK(text.ends_with("1199\n ]\n}\n"));
  for (std::size_t at = 0, next = 0; (next = text.find('\n', at)) != text.npos; at = next + 1) {
    CHECK(next - at <= 112);
  }
}
