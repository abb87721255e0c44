// forerun calibrate, as somebody at a terminal would run it.

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "core/file.h"
#include "core/reader.h"
#include "tests/cli/program.h"

namespace forerun::testing {
namespace {

std::string log(const std::string& name) { return data_path("tests/logs/" + name); }
bool exists(const std::string& path) { return std::filesystem::exists(path); }

TEST_SUITE("cli/calibrate") {
  TEST_CASE("calibrate makes a network profile that check accepts, a table and a picture") {
    const Folder folder;
    const std::string made = folder.path("mine.json"), picture = folder.path("fit.svg");
    const Ran r = forerun({"calibrate", "aws-p5", "--with",
                           log("nccl_tests/aws_p5_h100_1node_8gpu_allreduce.log"),
                           log("nccl_tests/aws_p5_h100_2node_16gpu_allreduce.log"),
                           log("others/nvbandwidth_peers.json"), "-o", made, "--plot", picture});
    CHECK(r.code == 0);
    CHECK(r.err.empty());
    for (const char* part :
         {"all_reduce, 16 ranks", "curve over 32 sizes", "left out: median", "measured",
          "aws_p5_h100_2node_16gpu_allreduce.log", "pair", "373.", "both directions at once"}) {
      CHECK_MESSAGE(has(r.out, part), part);
    }
    const Ran checked = forerun({"check", made});
    CHECK(checked.code == 0);
    CHECK(has(checked.out, "network profile"));
    const std::string svg = read_file(picture, 1 << 22);
    CHECK(svg.starts_with("<svg"));
    CHECK(has(svg, "all_reduce, 8 ranks"));
    CHECK(svg.ends_with("</svg>\n"));
  }

  TEST_CASE("calibrate makes an accelerator profile of a trace, and answers as JSON") {
    const Folder folder;
    const std::string made = folder.path("mine.json");
    const Ran r = forerun({"calibrate", "h100-sxm-80gb", "--with", log("others/kineto.json"), "-o",
                           made, "--json", "-"});
    CHECK(r.code == 0);
    Problems problems;
    const JsonDocument document = JsonDocument::parse(r.out, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("out"));
    Reader top = document.root(problems);
    auto families = top.objects("families");
    REQUIRE(families.size() == 2);
    CHECK(families[0].text("name") == "gemm bf16");
    CHECK(families[0].object("left_out").number("median", 0, 1) < 0.2);
    auto fields = top.objects("fields");
    REQUIRE(fields.size() == 3);
    for (Reader& field : fields) {
      CHECK(field.text("evidence") == "measured");
      CHECK(field.text("source") == "kineto.json");
    }
    CHECK(forerun({"check", made}).code == 0);
  }

  TEST_CASE("calibrate refuses with file and line, and writes nothing") {
    const Folder folder;
    const std::string made = folder.path("mine.json");
    std::string text = read_file(log("nccl_tests/aws_p5_h100_2node_16gpu_allreduce.log"), 1 << 20);
    text.replace(text.find("17286  248.46"), 13, "17286  284.46");
    const std::string wrong = folder.file("wrong.log", text);
    const Ran r = forerun({"calibrate", "aws-p5", "--with", wrong, "-o", made});
    CHECK(r.code == 1);
    CHECK(has(r.err, "wrong.log:32: out-of-place algorithm bandwidth is printed as 284.5 GB/s"));
    CHECK(!exists(made));
    const Ran other = forerun(
        {"calibrate", "aws-p5", "--with", folder.file("b.txt", "BabelStream\n"), "-o", made});
    CHECK(other.code == 1);
    CHECK(has(other.err, "looks like BabelStream"));
    const Ran nothing =
        forerun({"calibrate", "aws-p5", "--with", log("others/mamf_v3_h200.log"), "-o", made});
    CHECK(nothing.code == 1);
    CHECK(has(nothing.err, "nothing in these logs is in a network profile"));
    CHECK(!exists(made));
  }

  TEST_CASE("a file of 2 GB is refused by its size") {
    const Folder folder;
    const std::string large = folder.file("large.log", "");
    std::filesystem::resize_file(large, std::uintmax_t{2} << 30);
    const Ran r = forerun({"calibrate", "aws-p5", "--with", large, "-o", folder.path("mine.json")});
    CHECK(r.code == 1);
    CHECK(has(r.err, "it has 2147483648 bytes, the limit is 67108864"));
  }

  TEST_CASE("calibrate asks for what is missing and names the nearest profile") {
    const Folder folder;
    const Ran usage = forerun({"calibrate", "aws-p5", "--with", log("others/kineto.json")});
    CHECK(usage.code == 2);
    CHECK(has(usage.err, "forerun calibrate PROFILE --with FILE... -o PROFILE"));
    const Ran name = forerun({"calibrate", "aws-p6", "--with", log("others/kineto.json"), "-o",
                              folder.path("mine.json")});
    CHECK(name.code == 1);
    CHECK(has(name.err, "did you mean aws-p"));
    const std::string log_file = folder.file("a.log", "x");
    CHECK(forerun({"calibrate", "aws-p5", "--with", log_file, "-o", log_file}).code == 2);
    CHECK(read_file(log_file, 10) == "x");
  }

  TEST_CASE("check takes a scale-up profile for what it is") {
    const Ran r = forerun({"check", data_path("hw/profiles/scale_up/h100.json"),
                           data_path("hw/profiles/topologies/b200-4x8.json")});
    CHECK(r.code == 0);
    CHECK(has(r.out, "h100.json: scale-up profile"));
    CHECK(has(r.out, "b200-4x8.json: topology"));
  }
}

}  // namespace
}  // namespace forerun::testing
