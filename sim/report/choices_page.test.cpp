#include "sim/report/choices_page.h"

#include <doctest/doctest.h>

#include "tests/well_formed.h"

namespace forerun::sim {
namespace {

bool has(const std::string& page, const std::string& part) {
  return page.find(part) != std::string::npos;
}

ChoicesPage machines() {
  ChoicesPage c;
  c.title = "h100_or_b200";
  c.question = "1,024 H100 or 512 B200 for Chameleon-34B?";
  c.tiles = {{"Best", "512 B200", "", "cheapest within 90 days"}};
  c.columns = {{"days", true}, {"cost, $ M", true}, {"plan", false}};
  c.ways = {{"512 B200", {"71.2", "9.8", "tensor 4"}, 71.2, 9.8, true, ""},
            {"1,024 H100", {"64.0", "10.4", "tensor 4"}, 64.0, 10.4, false, "6 % dearer"},
            {"512 H100", {"128", "10.6", "tensor 4"}, 128, 10.6, false, "too late"},
            {"64 A100", {"", "", ""}, {}, {}, false, "does not fit"}};
  c.x_label = "days";
  c.y_label = "cost, $ M";
  c.remarks = {{"Sensitivity", {"the price of B200 moves the choice most"}}, {"Warnings", {}}};
  c.version = "0.1.0";
  c.command = "forerun plan x.json --report x.html";
  c.identity = {{"seed", "1"}};
  return c;
}

TEST_SUITE("sim/report/choices") {
  TEST_CASE("the page has the choice, the front, every way with its remark, and how it was made") {
    const std::string page = choices_page(machines());
    testing::XmlCheck check(page);
    CHECK(check.run() == "");
    for (const char* part :
         {"<b>512 B200</b>", "id=\"front\"", "id=\"ways\"", "6 % dearer", "does not fit",
          "the price of B200 moves the choice most", ">x.json</span>", "r=\"9\""}) {
      CHECK_MESSAGE(has(page, part), part);
    }
    CHECK_FALSE(has(page, "Warnings"));
    CHECK(page == choices_page(machines()));
  }

  TEST_CASE("without two things to compare there is no front, and no text becomes markup") {
    ChoicesPage c = machines();
    c.x_label.clear();
    c.title = c.question = c.ways[0].name = c.ways[1].remark = c.command = "<b>&\"";
    c.remarks[0].sentences[0] = c.tiles[0].about = c.columns[0].name = "<b>&\"";
    const std::string page = choices_page(c);
    CHECK(testing::xml_problem(page) == "");
    CHECK_FALSE(has(page, "id=\"front\""));
    CHECK_FALSE(has(page, "<b>&\""));
  }

  TEST_CASE("of very many ways the picture has all and the table the best") {
    ChoicesPage c = machines();
    for (int i = 0; i < 5000; ++i) {
      c.ways.push_back({"way", {"1", "2", "3"}, 100.0 + i, 20.0 + i, false, ""});
    }
    const std::string page = choices_page(c);
    CHECK(testing::xml_problem(page) == "");
    CHECK(has(page, "4944 more are not shown"));
    CHECK(page.size() < 2000000);
  }
}

}  // namespace
}  // namespace forerun::sim
