#include "models/stability/anchors.h"

#include <doctest/doctest.h>

#include "core/file.h"

namespace forerun::stability {
namespace {

TEST_SUITE("models/stability/anchors") {
  TEST_CASE("each published run is held or missed by its prediction's band as the file says") {
    const Constants k = load_constants();
    for (const Anchor& a : load_anchors()) {
      CAPTURE(a.name);
      const Prediction p = predict(a, k, 1, 200);
      CAPTURE(p.value);
      CAPTURE(p.band.low);
      CAPTURE(p.band.high);
      const bool holds = p.band.high >= a.published.low && p.band.low <= a.published.high;
      CHECK(holds == a.agrees);
    }
  }

  TEST_CASE("the documentation's table is what is predicted now") {
    const std::string docs = read_file(data_path("docs/stability.md"), 1 << 20);
    const std::string table = anchor_table(load_anchors(), load_constants(), 1, 200).markdown();
    CHECK_MESSAGE(docs.find(table) != std::string::npos, table);
  }

  TEST_CASE("what set no constant is in the majority, and misses are among it") {
    int free = 0, missed = 0, all = 0;
    for (const Anchor& a : load_anchors()) {
      ++all;
      if (!a.sets_a_constant) ++free;
      if (!a.agrees) ++missed;
      CHECK_FALSE((a.sets_a_constant && !a.agrees));
    }
    CHECK(2 * free > all);
    CHECK(missed > 0);
  }

  TEST_CASE("a wrong anchor is refused with path and rule") {
    Problems problems;
    CHECK_FALSE(read_anchors(R"({"schema": 1, "what": "", "anchors": [{"name": "x",
      "measure": "los", "published": [2, 1], "said": "", "agrees": true, "sets_a_constant": false,
      "source": "s", "run": {"architecture": {"base": "gpt3-125m"}, "parameters": 1e8,
      "tokens": 1e9, "steps": 0, "format": "bf16", "recipe": {}}}]})",
                             problems));
    const std::string text = problems.text("");
    CHECK(text.find("/anchors/0/measure") != std::string::npos);
    CHECK(text.find("/anchors/0/published: must be two numbers, least and most") !=
          std::string::npos);
    CHECK(text.find("/anchors/0/run/steps") != std::string::npos);
  }
}

}  // namespace
}  // namespace forerun::stability
