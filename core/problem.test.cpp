#include "core/problem.h"

#include <doctest/doctest.h>

namespace forerun {

TEST_SUITE("core/problem") {
  TEST_CASE("a problem is one line, whatever its parts hold") {
    Problems problems;
    CHECK(problems.empty());
    problems.add("/a", "missing");
    problems.add("", "no object");
    problems.add("/new\nline", "\x1b[2Jred µ");
    CHECK(problems.text("f.json") ==
          "f.json: /a: missing\n"
          "f.json: no object\n"
          "f.json: /new\\x0aline: \\x1b[2Jred µ\n");
    CHECK(problems.list().front() == Problem{"/a", "missing"});
  }
}

}  // namespace forerun
