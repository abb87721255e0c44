#include "core/json_writer.h"

#include <doctest/doctest.h>

#include "core/problem.h"
#include "core/reader.h"

namespace forerun {
namespace {

TEST_SUITE("core/json_writer") {
  TEST_CASE("what is written reads back as the same values") {
    JsonWriter json;
    json.begin_object();
    json.key("text").value("a \"quoted\"\\ line\nand a tab\t\x01");
    json.key("third").value(1.0 / 3.0).key("count").value(std::int64_t{-7}).key("yes").value(true);
    json.key("nothing").value(std::optional<double>{});
    json.key("list").begin_array().value(1.5).value(2.5).end_array();
    json.key("empty").begin_object().end_object();
    json.end_object();
    Problems problems;
    const JsonDocument document = JsonDocument::parse(json.text(), problems);
    Reader r = document.root(problems);
    CHECK(r.text("text") == "a \"quoted\"\\ line\nand a tab\t\x01");
    CHECK(r.number("third", 0, 1) == 1.0 / 3.0);
    CHECK(r.integer("count", -10, 10) == -7);
    CHECK(r.boolean("yes"));
    CHECK_FALSE(r.has("nothing"));
    CHECK(r.numbers("list", 0, 9) == std::vector<double>{1.5, 2.5});
    r.object("empty").finish();
    r.finish();
    CHECK_MESSAGE(problems.empty(), problems.text("json"));
  }

  TEST_CASE("containers are indented and an empty one stays on its line") {
    JsonWriter json;
    json.begin_object().key("a").begin_array().value(std::int64_t{1}).end_array();
    json.key("b").begin_array().end_array().end_object();
    CHECK(json.text() == "{\n  \"a\": [\n    1\n  ],\n  \"b\": []\n}\n");
  }
}

}  // namespace
}  // namespace forerun
