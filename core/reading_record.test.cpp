#include "core/reading_record.h"

#include <doctest/doctest.h>

#include <array>

#include "core/reader.h"

namespace forerun {
namespace {

TEST_SUITE("core/reading_record") {
  /// Reads one integer, one list, an optional name, and a rule across both numbers.
  void read(const JsonDocument& document, Problems& problems) {
    Reader top = document.root(problems);
    Reader plan = top.object("plan");
    const std::int64_t tensor = plan.integer("tensor", 1, 64);
    const std::int64_t data = plan.integer("data", 1, 64);
    if (tensor * data > 64) plan.problem("data", "too many");
    if (plan.has("layers")) plan.integers("layers", 0, 10);
    plan.finish();
    top.finish();
  }

  TEST_CASE("asked are all keys that the reader knows, there or not") {
    Problems problems;
    const JsonDocument document = JsonDocument::parse(
        R"({"plan": {"tensor": 8, "data": 8, "layers": [1, 2], "other": 1}})", problems);
    const ReadingRecord record(problems);
    read(document, problems);
    CHECK(record.asked() == std::set<std::string>{"/plan", "/plan/tensor", "/plan/data",
                                                  "/plan/layers", "/plan/layers/0",
                                                  "/plan/layers/1"});
    CHECK_FALSE(record.asked("/plan/other"));
    CHECK_FALSE(record.refused("/plan"));
    CHECK(record.told("/plan/other"));
  }

  TEST_CASE("a value is refused for itself, a broken rule is told of only") {
    Problems problems;
    const JsonDocument document = JsonDocument::parse(
        R"({"plan": {"tensor": 9, "data": 8, "layers": [1, "x", 11]}})", problems);
    const ReadingRecord record(problems);
    read(document, problems);
    CHECK_FALSE(record.refused("/plan/tensor"));
    CHECK_FALSE(record.refused("/plan/data"));
    CHECK(record.told("/plan/data"));
    CHECK(record.refused("/plan/layers/1"));
    CHECK(record.refused("/plan/layers/2"));
    CHECK_FALSE(record.refused("/plan/layers/0"));
    CHECK(record.refused("/plan/layers"));
  }

  TEST_CASE("readers of other problems, and of a time before or after, are not recorded") {
    Problems problems, others;
    const JsonDocument document =
        JsonDocument::parse(R"({"plan": {"tensor": "x", "data": 1}})", problems);
    read(document, problems);
    const ReadingRecord record(problems);
    {
      const ReadingRecord inner(others);
      read(document, others);
      CHECK(inner.refused("/plan/tensor"));
    }
    CHECK(record.asked().empty());
    CHECK_FALSE(record.told("/plan/tensor"));
  }
}

}  // namespace
}  // namespace forerun
