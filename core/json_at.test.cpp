#include "core/json_at.h"

#include <doctest/doctest.h>

namespace forerun {
namespace {

TEST_SUITE("core/json_at") {
  constexpr const char* kText =
      R"({"plan": {"tensor": 8, "parts": ["a\"b", 1e30, true, null, {"x": 2.50}]}, "a/b": {"c.d": 1}})";

  TEST_CASE("a value comes back as it was written, in one line") {
    CHECK(json_at(kText, "/plan/tensor") == "8");
    CHECK(json_at(kText, "/plan/parts/4/x") == "2.50");
    CHECK(json_at(kText, "/plan/parts") == R"(["a\"b", 1e30, true, null, {"x": 2.50}])");
    CHECK(json_at(kText, "/a~1b/c.d") == "1");
    CHECK(json_at("7", "") == "7");
  }

  TEST_CASE("what is not there, or can't be read, is nothing") {
    CHECK_FALSE(json_at(kText, "/plan/tensr"));
    CHECK_FALSE(json_at(kText, "/plan/parts/5"));
    CHECK_FALSE(json_at(kText, "/plan/parts/-1"));
    CHECK_FALSE(json_at(kText, "plan"));
    CHECK_FALSE(json_at("{", ""));
    CHECK_FALSE(json_elements(kText, "/plan"));
    CHECK(json_pointers("{").empty());
  }

  TEST_CASE("elements of an array") {
    CHECK(json_elements(kText, "/plan/parts") ==
          std::vector<std::string>{R"("a\"b")", "1e30", "true", "null", R"({"x": 2.50})"});
    CHECK(json_elements("[]", "") == std::vector<std::string>{});
  }

  TEST_CASE("pointers reach every value, outer ones first") {
    const std::vector<std::string> pointers = json_pointers(kText);
    CHECK(pointers == std::vector<std::string>{"/plan", "/plan/tensor", "/plan/parts",
                                               "/plan/parts/0", "/plan/parts/1", "/plan/parts/2",
                                               "/plan/parts/3", "/plan/parts/4", "/plan/parts/4/x",
                                               "/a~1b", "/a~1b/c.d"});
    for (const std::string& pointer : pointers) CHECK(json_at(kText, pointer));
  }

  TEST_CASE("dotted paths and pointers say the same, unless a key has a dot") {
    CHECK(json_pointer("plan.tensor") == "/plan/tensor");
    CHECK(json_pointer("/a~1b/c.d") == "/a~1b/c.d");
    CHECK(json_path("/plan/tensor") == "plan.tensor");
    CHECK(json_path("/a~1b/c.d") == "/a~1b/c.d");
    CHECK(json_path(json_pointer("a.0.b")) == "a.0.b");
  }
}

}  // namespace
}  // namespace forerun
