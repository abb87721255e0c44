// forerun replay and forerun step --chakra, as somebody at a terminal would run them.

#include <doctest/doctest.h>

#include <string>

#include "core/file.h"
#include "core/reader.h"
#include "tests/cli/program.h"
#include "tests/replaced.h"
#include "tests/replay/sample.h"

namespace forerun::testing {
namespace {

TEST_SUITE("cli/replay") {
  TEST_CASE("replay says what was measured, what if, who is slow and what the step waited for") {
    const Folder folder;
    const std::string trace = folder.path("trace.json");
    const Ran r =
        forerun({"replay", folder.file("job.csv", sample_table()), "--faster", "backward-compute=2",
                 "--schedule", "all_forward_all_backward", "--trace", trace});
    CHECK(r.code == 0);
    CHECK(r.err.empty());
    for (const char* part :
         {"job.csv: table of operations, 1 step, 2 ranks (1 replicas of 2 stages), 18 operations",
          "measured", "a step is off by 0.000 % at most", "transfers take no time",
          "backward-compute 2 times as fast", "31.6 % shorter", "schedule all_forward_all_backward",
          "2.1 % longer", "on the longest path"}) {
      CHECK_MESSAGE(has(r.out, part), part);
    }
    Problems problems;
    const JsonDocument document = JsonDocument::load(trace, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("trace"));
    CHECK(document.root(problems).objects("traceEvents").size() >= 18);
  }

  TEST_CASE("--json - says what the text says, twice the same bytes") {
    const std::string path = data_path("tests/replay/st_two_steps.csv");
    const Ran r = forerun({"replay", path, "--json", "-"});
    CHECK(r.code == 0);
    CHECK(r.out == forerun({"replay", path, "--json", "-"}).out);
    Problems problems;
    const JsonDocument document = JsonDocument::parse(r.out, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("out"));
    Reader top = document.root(problems);
    const std::vector<double> steps = top.numbers("without_gaps_s", 0, 10);
    REQUIRE(steps.size() == 2);
    CHECK(steps[0] == doctest::Approx(2.339666260908416).epsilon(1e-6));
    CHECK(top.objects("slow").front().text("name") == "stage 3");
  }

  TEST_CASE("what is wrong is told in one line and exits with 1") {
    const Folder folder;
    const std::string good = sample_table();
    const Ran lost = forerun(
        {"replay", folder.file("a.csv", replaced(good, "7,0,1,forward-recv,210,10,1,-1\n", ""))});
    CHECK(lost.code == 1);
    CHECK(has(lost.err, "has no forward-recv on data 0, stage 1"));
    const std::string path = folder.file("b.csv", good);
    CHECK(has(forerun({"replay", path, "--schedule", "gpipe"}).err, "unknown schedule \"gpipe\""));
    CHECK(has(forerun({"replay", path, "--faster", "forward=2"}).err, "has no operation"));
    CHECK(forerun({"replay", path, "--faster", "gc"}).code == 1);
    CHECK(forerun({"replay"}).code == 2);
    CHECK(has(forerun({"replay", folder.path("none.csv")}).err, "No such file"));
  }

  TEST_CASE("a step's Chakra traces replay to the step's time") {
    const Folder folder;
    const std::vector<std::string> step = {
        "step",  "gpt3_175b_korthikanti", "--set", "cluster.accelerators=4",
        "--set", "plan.tensor=2",         "--set", "plan.pipeline=2",
        "--set", "plan.virtual_stages=1", "--set", "plan.global_batch=4",
        "--set", "model.layers=4"};
    std::vector<std::string> words = step;
    words.insert(words.end(), {"--chakra", folder.path("s")});
    const Ran written = forerun(words);
    CHECK(written.code == 0);
    CHECK(has(written.out, "s.3.et"));
    CHECK(has(read_file(folder.path("s.groups.json"), 1 << 20), "\"1\": ["));
    words = {"replay"};
    for (const char* rank : {"0", "1", "2", "3"}) {
      words.push_back(folder.path(std::string("s.") + rank + ".et"));
    }
    words.insert(words.end(), {"--json", "-"});
    std::vector<std::string> kernels = step;
    kernels.insert(kernels.end(), {"--every-kernel", "--json", "-"});
    Problems problems;
    const JsonDocument replayed = JsonDocument::parse(forerun(words).out, problems);
    const JsonDocument simulated = JsonDocument::parse(forerun(kernels).out, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("out"));
    const double time = simulated.root(problems).number("step_time_s", 0, 100);
    CHECK(replayed.root(problems).numbers("replayed_s", 0, 100).at(0) ==
          doctest::Approx(time).epsilon(1e-4));
    CHECK(replayed.root(problems).numbers("measured_s", 0, 100).at(0) ==
          doctest::Approx(time).epsilon(1e-9));
  }
}

}  // namespace
}  // namespace forerun::testing
