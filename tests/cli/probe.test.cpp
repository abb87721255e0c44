// forerun probe where there is no accelerator: the plan, and what is said to be missing.

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/reader.h"
#include "tests/cli/program.h"

namespace forerun::testing {
namespace {

bool driver_is_here() {
  return std::filesystem::exists("/dev/nvidiactl") || std::filesystem::exists("/dev/dxg");
}

TEST_SUITE("cli/probe") {
  TEST_CASE("--plan shows shapes and times by family and says that nothing was measured") {
    const Ran r = forerun({"probe", "--plan"});
    CHECK(r.code == 0);
    CHECK(r.err.empty());
    for (const char* part : {"H100 SXM as published", "nothing was measured", "gemm", "attention",
                             "launch_graph", "collectives need at least two accelerators"}) {
      CHECK_MESSAGE(has(r.out, part), part);
    }
    const Ran rows = forerun({"probe", "--plan", "--rows", "--family", "adam"});
    CHECK(has(rows.out, "adam elements=67108864 fp32 forward own"));
    CHECK(!has(rows.out, "gemm"));
  }

  TEST_CASE("--plan --json - is a document that marks itself as not measured, within its budget") {
    const Ran r = forerun({"probe", "--plan", "--budget", "60", "--json", "-"});
    CHECK(r.code == 0);
    Problems problems;
    const JsonDocument document = JsonDocument::parse(r.out, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("out"));
    Reader top = document.root(problems);
    CHECK(!top.boolean("measured"));
    CHECK(top.number("estimate_s", 0, 60) > 0);
    CHECK(!top.objects("points").empty());
    CHECK_MESSAGE(problems.empty(), problems.text("out"));
  }

  TEST_CASE("check knows a file of measurements and names what is wrong in one") {
    const Folder folder;
    const std::string right = R"({"format": "forerun-probe", "schema": 1, "program": "0.1.0",
      "when": "2026-03-01T12:00:00Z", "seed": 1, "budget_s": 480, "elapsed_s": 3, "finished": true,
      "device": {"name": "made for a test", "compute_capability": "9.0", "count": 1, "memory_B": 1e9,
        "l2_B": 1e6, "multiprocessors": 10, "driver": "13.0", "runtime": "13.0", "libraries": {}},
      "points": [], "left_out": []})";
    const Ran good = forerun({"check", folder.file("good.json", right)});
    CHECK(good.code == 0);
    CHECK(has(good.out, "good.json: probe measurements"));
    std::string wrong = right;
    wrong.replace(wrong.find("480"), 3, "-48");
    const Ran bad = forerun({"check", folder.file("bad.json", wrong)});
    CHECK(bad.code == 1);
    CHECK(has(bad.err, "/budget_s: must be from 1 to 86400, found -48"));
  }

  TEST_CASE("wrong words are refused with the rule and the nearest name") {
    const auto refused = [](const std::vector<std::string>& words, const std::string& said) {
      const Ran r = forerun(words);
      CHECK(r.code == 2);
      CHECK(r.out.empty());
      CHECK_MESSAGE(has(r.err, said), r.err);
    };
    refused({"probe"}, "no file to write the measurements to");
    refused({"probe", "--plan", "--budget", "1"}, "--budget: must be from 5 to 86400 seconds");
    refused({"probe", "--plan", "--budget", "soon"}, "--budget");
    refused({"probe", "--plan", "--family", "atention"}, "did you mean attention?");
    refused({"probe", "-o", "x.json", "--json", "-"}, "--json and --rows are of a plan");
    refused({"probe", "--plam"}, "did you mean --plan?");
  }

  TEST_CASE("without an accelerator a run ends with one line, exit code 4 and no file") {
    if (driver_is_here()) {
      MESSAGE("skipped: this machine has an NVIDIA driver");
      return;
    }
    const Folder folder;
    const Ran r = forerun({"probe", "-o", folder.path("out.json")});
    CHECK(r.code == 4);
    CHECK(r.out.empty());
    const bool built = std::filesystem::exists(
        std::filesystem::path(FORERUN_PROGRAM).parent_path() / "forerun-probe");
    CHECK(
        has(r.err, built ? "error: no NVIDIA driver: libcuda.so.1" : "error: no forerun-probe in"));
    CHECK(!std::filesystem::exists(folder.path("out.json")));
  }
}

}  // namespace
}  // namespace forerun::testing
