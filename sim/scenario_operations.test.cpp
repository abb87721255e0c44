#include "sim/scenario_operations.h"

#include <doctest/doctest.h>

#include "core/problem.h"

TEST_SUITE("sim/scenario_operations") {
  using namespace forerun;
  using namespace forerun::sim;
  using namespace forerun::literals;

  static Operations read(const std::string& text, Problems& problems) {
    const JsonDocument document = JsonDocument::parse(text, problems);
    Reader top = document.root(problems);
    return read_operations(top);
  }
  /// The first problem's path and rule, or nothing.
  static std::string wrong(const std::string& text) {
    Problems problems;
    (void)read(text, problems);
    return problems.empty() ? "" : problems.list()[0].where + ": " + problems.list()[0].what;
  }

  TEST_CASE("nothing stated is the default, and every default is named with its reason") {
    Problems problems;
    CHECK(read("{}", problems) == default_operations());
    CHECK(problems.empty());
    CHECK(operations_assumed(default_operations()).size() == default_operations().unstated.size());
    CHECK(operations_json(default_operations()) == "{}");
  }

  TEST_CASE("everything stated is read, and written back as the same") {
    const std::string text = R"({
      "reliability": "llama3-405b-54-days", "stragglers": "bytedance-jobs",
      "checkpoints": [{"name": "memory", "mode": "in_memory", "every_steps": 1, "blocks": "0.04 s",
                       "survives": "node"},
                      {"name": "storage", "mode": "synchronous", "every": "3 h"}],
      "storage": {"write": "2 TB/s", "read": "7 TB/s", "write_per_node": "0 B/s"},
      "bytes_per_parameter": 12, "host_link": "50 GB/s",
      "detection": ["10 s", "1 min"], "restart": "5 min", "replacement": ["1 h", "7 days"],
      "spares": 12, "when_short": "shrink",
      "evaluation": {"every_steps": 1000, "lasts": "2 min"},
      "maintenance": {"every": "30 days", "lasts": ["4 h", "2 days"]},
      "diurnal": 0.02, "step_jitter": 0.03, "step_time": "6.46 s",
      "data": {"read": "100 GB/s", "bytes_per_token": 6, "decode": {"image": 2000},
               "stalls": {"per_day": 2, "lasts": ["10 s", "5 min"]}}})";
    Problems problems;
    const Operations o = read(text, problems);
    CHECK_MESSAGE(problems.empty(), problems.text("operations"));
    CHECK(o.unstated.empty());
    CHECK(o.reliability.causes.size() == 18);
    CHECK(o.replacement == Range{3600, 7 * 86400.0});
    CHECK(read(operations_json(o), problems) == o);
    CHECK(problems.empty());
  }

  TEST_CASE("a reliability of one's own is read in place") {
    const std::string text = R"({"reliability": {"name": "mine", "causes": [
      {"name": "rack", "per_1000_node_days": [0.1, 0.2], "nodes": 16, "evidence": "assumed", "source": "a guess"}]}})";
    Problems problems;
    const Operations o = read(text, problems);
    CHECK(problems.empty());
    CHECK(o.reliability.causes[0].nodes == 16);
    CHECK(read(operations_json(o), problems) == o);
  }

  TEST_CASE("wrong input is named") {
    CHECK(wrong(R"({"reliability": "meta-rcs"})") ==
          "/reliability: no reliability profile is named \"meta-rcs\"; did you mean meta-rsc?");
    CHECK(wrong(R"({"detection": ["10 min", "10 s"]})") ==
          "/detection: the low end is above the high end");
    CHECK(wrong(R"({"spares": -1})").find("/spares: ") == 0);
    CHECK(wrong(R"({"checkpoints": [{"name": "m", "mode": "in_memory"}]})")
              .find("/checkpoints: one of them must be written to storage") == 0);
    CHECK(
        wrong(
            R"({"checkpoints": [{"name": "s", "mode": "asynchronous", "every": "1 h", "every_steps": 3}]})") ==
        "/checkpoints/0/every: either this or every_steps");
    CHECK(wrong(R"({"checkpoints": [{"name": "s", "mode": "asynchronous", "every": "0 s"}]})") ==
          "/checkpoints/0/every: must be above 0");
    CHECK(wrong(R"({"data": {"decode": {"imege": 5}}})").find("did you mean image?") !=
          std::string::npos);
    CHECK(wrong(R"({"maintenance": {"every": "1 min", "lasts": "1 s"}})") ==
          "/maintenance/every: must be at least an hour");
    CHECK(wrong(R"({"maintenance": {"every": "2 h", "lasts": "2 h"}})") ==
          "/maintenance/lasts: must be shorter than the time from one to the next");
    CHECK(wrong(R"({"data": {"read": "1 GB/s"}})").find("/data/bytes_per_token: missing") == 0);
    CHECK(wrong(R"({"replacement": "100 years"})").find("unknown unit") != std::string::npos);
    CHECK(wrong(R"({"when_short": "weit"})").find("did you mean \"wait\"?") != std::string::npos);
    CHECK(wrong(R"({"stragglers": "bytedance"})").find("no straggler profile") !=
          std::string::npos);
    CHECK(wrong(R"({"spare": 1})") == "/spare: unknown key (did you mean spares?)");
    CHECK(wrong(R"({"step_time": "0 s"})") == "/step_time: must be above 0");
  }
}
