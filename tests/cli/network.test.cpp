// forerun network, as somebody at a terminal would run it.

#include <doctest/doctest.h>

#include <string>

#include "core/reader.h"
#include "tests/cli/program.h"

namespace forerun::testing {
namespace {

TEST_SUITE("cli/network") {
  TEST_CASE("network shows the graph and what its jobs take, alone and beside each other") {
    const Ran r = forerun({"network", "b200-4x8-beside"});
    CHECK(r.code == 0);
    CHECK(r.err.empty());
    for (const char* part : {"NVLink switch", "leaf switch", "between the halves", "analytic",
                             "all-to-all", "nic-0-0", "seed 1, forerun "}) {
      CHECK_MESSAGE(has(r.out, part), part);
    }
  }

  TEST_CASE(
      "network --set changes the topology, --seed the hash, --json - says what the text says") {
    const Ran r = forerun({"network", "b200-4x8", "--set", "jobs=[]", "--json", "-"});
    CHECK(r.code == 0);
    Problems problems;
    const JsonDocument document = JsonDocument::parse(r.out, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("out"));
    Reader top = document.root(problems);
    CHECK(top.objects("jobs").empty());
    CHECK(top.number("bisection_Bps", 1, 1e15) == doctest::Approx(16 * 50e9));
    const auto hashed = [](const std::string& seed) {
      return forerun({"network", "h100-two-jobs", "--seed", seed, "--json", "-"}).out;
    };
    CHECK(hashed("1") == hashed("1"));
    CHECK(hashed("1") != hashed("2"));
  }

  TEST_CASE("network refuses a wrong topology with path and rule, and names the nearest") {
    const Ran wrong = forerun({"network", "b200-4x8", "--set", "failed=[\"leaf-9\"]"});
    CHECK(wrong.code == 1);
    CHECK(has(wrong.err, "/failed: no node or link is named leaf-9, did you mean leaf-0?"));
    const Ran none = forerun({"network", "b200-4x9"});
    CHECK(none.code == 1);
    CHECK(has(none.err, "did you mean b200-4x8?"));
  }
}

}  // namespace
}  // namespace forerun::testing
