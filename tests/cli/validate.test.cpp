// `forerun validate` from end to end: published rows, tables of kernel times, notes.

#include <doctest/doctest.h>

#include <sstream>
#include <string>

#include "core/file.h"
#include "core/reader.h"
#include "tests/cli/program.h"
#include "tests/replaced.h"

namespace forerun::testing {
namespace {

TEST_SUITE("cli/validate") {
  /// The first `count` rows of a file, and what is put after them.
  std::string rows(const std::string& file, int count, const std::string& after = {}) {
    std::istringstream lines(read_file(data_path("tests/published/rows/" + file), kMaxJsonBytes));
    std::string out, line;
    for (int i = 0; i < count && std::getline(lines, line); ++i) out += line + "\n";
    return out + after;
  }

  TEST_CASE("rows are predicted beside what was measured, and summed up by group") {
    const Folder folder;
    const std::string path = folder.file("rows.jsonl", rows("vtrain_a100_multi.jsonl", 8));
    const Ran r = forerun({"validate", path});
    CHECK(r.code == 0);
    CHECK(has(r.out, "vtrain_a100_multi-0000"));
    CHECK(has(r.out, "vtrain_a100_multi:3072,30,32,2048"));
    CHECK(has(r.out, "step time: mean over groups of the mean error"));
    CHECK(has(forerun({"validate", path, "--markdown"}).out, "|---|---:|"));
  }

  TEST_CASE("--notes says beside a group why it misses") {
    const Folder folder;
    const std::string path = folder.file("rows.jsonl", rows("vtrain_a100_multi.jsonl", 2));
    const std::string notes = folder.file(
        "notes.json",
        R"({"schema": 1, "notes": {"vtrain_a100_multi:3072,30,32,2048": "a cause in a sentence"}})");
    CHECK(has(forerun({"validate", path, "--notes", notes}).out, "a cause in a sentence"));
    CHECK_FALSE(has(forerun({"validate", path}).out, "why it misses"));
    const Ran markdown = forerun({"validate", path, "--notes", notes, "--markdown"});
    CHECK(markdown.err.empty());
    CHECK(has(markdown.out, "| vtrain_a100_multi:3072,30,32,2048 | 2 | "));
    CHECK(has(markdown.out, " | a cause in a sentence |"));
    CHECK_FALSE(has(forerun({"validate", path, "--markdown"}).out, "why it misses"));
    const Ran wrong =
        forerun({"validate", path, "--notes", folder.file("x.json", "{\"schema\": 1}")});
    CHECK(wrong.code == 1);
    CHECK(has(wrong.err, "/notes: missing"));
  }

  TEST_CASE("--json gives each row's fields by their names, the same for any number of threads") {
    const Folder folder;
    const std::string path = folder.file(
        "rows.jsonl", rows("vtrain_a100_multi.jsonl", 4) + rows("nanotron_h100_oom.jsonl", 3));
    const Ran one = forerun({"validate", path, "--json", "-", "--threads", "1"});
    CHECK(one.code == 0);
    CHECK(one.out == forerun({"validate", path, "--json", "-", "--threads", "4"}).out);
    Problems problems;
    const JsonDocument document = JsonDocument::parse(one.out, problems);
    Reader top = document.root(problems);
    std::vector<Reader> list = top.objects("rows");
    REQUIRE(list.size() == 7);
    CHECK(list[0].text("id") == "vtrain_a100_multi-0000");
    CHECK(list[0].text("group") != "");
    CHECK(list[0].number("measured_step_time_s", 0, 100) == 3.5665);
    CHECK(list[0].number("predicted_step_time_s", 0, 100) > 0);
    CHECK(list[0].number("predicted_memory_gib", 0, 1000) > 0);
    CHECK_FALSE(list[0].has("measured_memory_gib"));
    CHECK(list[0].boolean("fits"));
    CHECK(list[0].text("evidence") != "");
    CHECK_FALSE(list[6].has("predicted_step_time_s"));
    CHECK(list[6].boolean("out_of_memory"));
    CHECK_MESSAGE(problems.empty(), problems.text("out"));
  }

  TEST_CASE("a row that can't be simulated keeps its place, with the reason") {
    const Folder folder;
    const std::string row = rows("vtrain_a100_multi.jsonl", 1);
    const std::string other = replaced(row, "\"dense\"", "\"recurrent\"");
    const std::string odd = replaced(row, "\"accelerators\":64", "\"accelerators\":63");
    const std::string path = folder.file("rows.jsonl", other + odd);
    const Ran r = forerun({"validate", path, "--json", "-"});
    CHECK(r.code == 0);
    CHECK(has(r.out, "a recurrent model, and the zoo has no"));
    CHECK(has(r.out, "/cluster/accelerators is 63"));
    CHECK(has(r.out, "\"not_modelled\": 1"));
    CHECK(has(r.out, "\"refused\": 1"));
  }

  TEST_CASE("a note on no group of the rows is a warning with the nearest group") {
    const Folder folder;
    const std::string path = folder.file("rows.jsonl", rows("vtrain_a100_multi.jsonl", 2));
    const std::string notes = folder.file(
        "notes.json", R"({"schema": 1, "notes": {"vtrain_a100_mult:3072,30,32,2048": "x"}})");
    const Ran r = forerun({"validate", path, "--notes", notes});
    CHECK(r.code == 0);
    CHECK(r.err ==
          "warning: the note on \"vtrain_a100_mult:3072,30,32,2048\" is on no group and no "
          "framework of these rows (did you mean vtrain_a100_multi:3072,30,32,2048?)\n");
  }

  TEST_CASE("a file without rows is refused by validate and by check") {
    const Folder folder;
    const std::string path = folder.file("rows.jsonl", "\n");
    for (const char* command : {"validate", "check"}) {
      const Ran r = forerun({command, path});
      CHECK(r.code == 1);
      CHECK(r.out.empty());
      CHECK(has(r.err, "rows.jsonl: no rows"));
    }
  }

  TEST_CASE("a line that is no JSON object is told with file and line") {
    const Folder folder;
    const std::string path =
        folder.file("rows.jsonl", rows("vtrain_a100_multi.jsonl", 2, "{\"id\": \n"));
    const Ran r = forerun({"validate", path});
    CHECK(r.code == 1);
    CHECK(has(r.err, "rows.jsonl: line 3: "));
  }

  TEST_CASE("a table of kernel times asks for its accelerator and is scored with it") {
    const Folder folder;
    const std::string path = folder.file(
        "gemm.csv",
        "m,n,k,dtype,latency_us\n4096,4096,4096,bf16,210.0\n8192,8192,8192,bf16,1500\n");
    const Ran without = forerun({"validate", path});
    CHECK(without.code == 2);
    CHECK(has(without.err, "--profile"));
    const Ran with = forerun({"validate", path, "--profile", "h100-sxm-80gb"});
    CHECK_MESSAGE(with.code == 0, with.err);
    CHECK(has(with.out, "gemm"));
    CHECK(has(with.out, "bf16"));
    CHECK(has(with.out, "p95"));
    const Ran misspelt = forerun({"validate", path, "--profile", "h100-sxm-80g"});
    CHECK(misspelt.code == 1);
    CHECK(has(misspelt.err, "h100-sxm-80gb"));
  }
}

}  // namespace
}  // namespace forerun::testing
