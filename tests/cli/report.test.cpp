// `forerun run --report`: the page that goes to whoever signs.

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "core/file.h"
#include "tests/cli/program.h"
#include "tests/well_formed.h"

namespace forerun::testing {
namespace {

constexpr std::uint64_t kMostBytes = 1000000;

TEST_SUITE("cli/report") {
  TEST_CASE("the page is written beside the text, whole and the same every time") {
    const Folder folder;
    const std::string page = folder.path("answer.html");
    const std::vector<std::string> words = {"run",      "interaction_350m_speech_text_64_a100",
                                            "--set",    "plan.micro_batch=1",
                                            "--seed",   "7",
                                            "--draws",  "20",
                                            "--report", page};
    const Ran r = forerun(words);
    REQUIRE_MESSAGE(r.code == 0, r.err);
    CHECK(has(r.out, "step time"));
    const std::string first = read_file(page, kMostBytes);
    CHECK(xml_problem(first) == "");
    for (const char* id : {"finish", "time", "interruptions", "losses", "step", "memory",
                           "timeline", "evidence", "sources", "identity"}) {
      CHECK_MESSAGE(has(first, "id=\"" + std::string(id) + "\""), id);
    }
    REQUIRE(forerun(words).code == 0);
    CHECK(read_file(page, kMostBytes) == first);
    CHECK(std::filesystem::exists(page + ".tmp") == false);
  }

  TEST_CASE("the page has the command that makes it, quoted, without the folder it lies in") {
    const Folder folder;
    const std::string page = folder.path("my page.html");
    REQUIRE(forerun({"run", "deepscalelm_12_8_a100", "--set", "description=\"it's <b>\"",
                     "--report", page})
                .code == 0);
    const std::string text = read_file(page, kMostBytes);
    CHECK(xml_problem(text) == "");
    CHECK(has(text, "&#39;description=&quot;it&#39;\\&#39;&#39;s</span>"));
    CHECK(has(text, "it&#39;s &lt;b&gt;"));
    CHECK_FALSE(has(text, "it's <b>"));
    CHECK_FALSE(has(text, folder.path("")));
    CHECK(has(text, "&#39;my</span> <span class=\"word\">page.html&#39;</span>"));
  }

  TEST_CASE("what does not fit has a page that says so, and exits 3 as without it") {
    const Folder folder;
    const std::string page = folder.path("no.html");
    const Ran r = forerun({"run", "llama3_70b_does_not_fit", "--report", page});
    CHECK(r.code == 3);
    const std::string text = read_file(page, kMostBytes);
    CHECK(xml_problem(text) == "");
    CHECK(has(text, "It does not fit"));
    CHECK_FALSE(has(text, "id=\"step\""));
  }

  TEST_CASE("a name that no browser opens is refused at once, a folder that is not there named") {
    const Ran wrong = forerun({"run", "llama3_405b_16384_h100", "--report", "page.txt"});
    CHECK(wrong.code == 2);
    CHECK(wrong.out.empty());
    CHECK(has(wrong.err, "--report page.txt: expected a name in .html"));
    const Ran nowhere =
        forerun({"run", "deepscalelm_12_8_a100", "--report", "/nonexistent/page.html"});
    CHECK(nowhere.code == 1);
    CHECK(nowhere.out.empty());
    CHECK(has(nowhere.err, "/nonexistent/page.html"));
  }
}

}  // namespace
}  // namespace forerun::testing
