#include "hw/csv.h"

#include <doctest/doctest.h>

TEST_SUITE("hw/csv") {
  using namespace forerun;
  using namespace forerun::hw;

  TEST_CASE("lines may end in CR LF and empty ones do not count") {
    Problems problems;
    const Csv csv = Csv::parse("a,b\r\n1,x\r\n\r\n2,y", problems);
    CHECK(problems.empty());
    REQUIRE(csv.rows() == 2);
    CHECK(csv.columns() == std::vector<std::string>{"a", "b"});
    CHECK(csv.integer(1, 0, 1, problems) == 2);
    CHECK(csv.text(1, 1) == "y");
  }

  TEST_CASE("a wrong cell is reported with its line, its column and the rule") {
    Problems problems;
    const Csv csv = Csv::parse("m,t\n3.5,-1\n1,2,3\n", problems);
    (void)csv.integer(0, 0, 1, problems);
    (void)csv.number(0, 1, 0, problems);
    REQUIRE(problems.list().size() == 3);
    CHECK(problems.list()[0] == Problem{"line 3", "expected 2 cells, found 3"});
    CHECK(problems.list()[1] ==
          Problem{"line 2, m", "expected an integer of at least 1, found \"3.5\""});
    CHECK(problems.list()[2] ==
          Problem{"line 2, t", "expected a number of at least 0, found \"-1\""});
  }

  TEST_CASE("an empty file has no header") {
    Problems problems;
    (void)Csv::parse("", problems);
    CHECK_FALSE(problems.empty());
  }
}
