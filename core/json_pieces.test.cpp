#include "core/json_pieces.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace forerun {
namespace {

using Pieces = std::vector<std::pair<std::string, std::string>>;

struct Walked {
  Pieces pieces;
  Problems problems;
};

Walked elements(std::string_view text) {
  Walked w;
  for_each_element(
      text, "list",
      [&](std::string_view piece, const std::string& place) {
        w.pieces.emplace_back(place, piece);
        return true;
      },
      w.problems);
  return w;
}

TEST_SUITE("core/json_pieces") {
  TEST_CASE("a list's objects and the objects beside it come out as they stand") {
    const Walked w = elements(
        R"({"n": 1, "info": {"rank": 3}, "s": "]}\"", "list": [{"a": "}\\"}, 7, {"b": [{}]}], "t": []})");
    CHECK(w.problems.empty());
    CHECK(w.pieces == Pieces{{"info", R"({"rank": 3})"},
                             {"list/0", R"({"a": "}\\"})"},
                             {"list/2", R"({"b": [{}]})"}});
  }

  TEST_CASE("text that is cut off at any byte is a problem and never read past") {
    const std::string whole = R"({"a": {"b": 1}, "list": [{"c": "d\"e"}, {"f": [1, 2]}]})";
    CHECK(elements(whole).problems.empty());
    for (std::size_t n = 0; n < whole.size(); ++n) {
      CHECK_MESSAGE(!elements(std::string_view(whole).substr(0, n)).problems.empty(), n);
    }
  }

  TEST_CASE("no list, two lists, and no object are told") {
    CHECK(elements(R"({"other": []})").problems.list().front().what ==
          "there is no list \"list\" at the top");
    CHECK(elements(R"({"list": [], "list": []})").problems.list().front().what ==
          "list stands there twice");
    CHECK(elements("[1]").problems.list().front() == Problem{"byte 0", "expected a JSON object"});
  }

  TEST_CASE("objects one after another") {
    Pieces pieces;
    Problems problems;
    for_each_object(
        "{\"a\": 1}{\"b\": \"}{\"}\n {} ",
        [&](std::string_view piece, const std::string& place) {
          pieces.emplace_back(place, piece);
          return true;
        },
        problems);
    CHECK(problems.empty());
    CHECK(pieces ==
          Pieces{{"object 0", "{\"a\": 1}"}, {"object 1", "{\"b\": \"}{\"}"}, {"object 2", "{}"}});
  }
}

}  // namespace
}  // namespace forerun
