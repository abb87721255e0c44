// Costs at the command line: places, and what is wrong with a scenario's "cost".

#include <doctest/doctest.h>

#include <string>

#include "core/file.h"
#include "core/reader.h"
#include "tests/cli/program.h"

namespace forerun::testing {
namespace {

TEST_SUITE("cli/cost") {
  TEST_CASE("list sites shows places and operators, as text and as JSON") {
    const Ran text = forerun({"list", "sites"});
    CHECK_MESSAGE(text.code == 0, text.err);
    for (const char* part : {"usa-virginia", "369.5", "0.0892", "1.58", "published"}) {
      CHECK_MESSAGE(has(text.out, part), part);
    }
    Problems problems;
    const JsonDocument document =
        JsonDocument::parse(forerun({"list", "sites", "--json", "-"}).out, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("out"));
    Reader top = document.root(problems);
    CHECK(top.objects("sites").size() > 30);
  }

  TEST_CASE("check knows a site, and tells what is wrong with one") {
    const Ran right = forerun({"check", data_path("hw/profiles/sites/google.json")});
    CHECK_MESSAGE(right.code == 0, right.err);
    CHECK(has(right.out, "google.json: site"));
    const Folder folder;
    const Ran wrong =
        forerun({"check", folder.file("x.json", R"({"schema": 1, "name": "x", "where": "here",
                                            "electricity": {"price": "-1 USD/kWh"}})")});
    CHECK(wrong.code == 1);
    CHECK(has(wrong.err, "/electricity/price: must be at least 0, found \"-1 USD/kWh\""));
    CHECK(has(wrong.err, "/electricity/source: missing"));
  }

  TEST_CASE("run refuses a deadline in the past and a negative price") {
    const std::string name = "llama2_70b_64_h100_spot";
    const Ran late = forerun({"run", name, "--set", "cost.deadline=\"2027-01-03\""});
    CHECK(late.code == 1);
    CHECK_MESSAGE(has(late.err,
                      "/cost/deadline: a deadline in the past: 2027-01-03 is before the "
                      "start, 2027-01-04"),
                  late.err);
    const Ran negative =
        forerun({"run", name, "--set", "cost.rent={\"accelerator_hour\": \"-1 USD/h\"}"});
    CHECK(negative.code == 1);
    CHECK_MESSAGE(has(negative.err, "/cost/rent/accelerator_hour: must be at least 0"),
                  negative.err);
  }
}

}  // namespace
}  // namespace forerun::testing
