#include "core/range.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/problem.h"

TEST_SUITE("core/range") {
  using namespace forerun;
  using doctest::Approx;

  static std::string read(const char* text, Range (*how)(Reader&), Range* out = nullptr) {
    Problems problems;
    const JsonDocument document = JsonDocument::parse(text, problems);
    Reader top = document.root(problems);
    const Range r = how(top);
    top.finish();
    if (out != nullptr) *out = r;
    return problems.empty() ? "" : problems.list()[0].where + ": " + problems.list()[0].what;
  }
  static Range number(Reader & r) { return read_range(r, "r", 0, 100); }
  static Range duration(Reader & r) { return read_duration_range(r, "r"); }

  TEST_CASE("draws are log-uniform, and the mean is that of the draws") {
    const Range r{2, 8};
    CHECK(r.at(0) == 2);
    CHECK(r.at(0.5) == Approx(4));
    CHECK(r.at(1) == Approx(8));
    double sum = 0;
    constexpr int kDraws = 100000;
    for (int i = 0; i < kDraws; ++i) sum += r.at((i + 0.5) / kDraws);
    CHECK(r.mean() == Approx(sum / kDraws).epsilon(1e-6));
    CHECK(Range{3, 3}.at(0.7) == 3);
    CHECK(Range{0, 4}.at(0.25) == 1);
    CHECK(Range{0, 4}.mean() == 2);
  }

  TEST_CASE("a range is a number or two, in order") {
    Range r;
    CHECK(read(R"({"r": 5})", number, &r).empty());
    CHECK(r == Range{5, 5});
    CHECK(read(R"({"r": [1, 2.5]})", number, &r).empty());
    CHECK(r == Range{1, 2.5});
    CHECK(read(R"({"r": [2, 1]})", number) == "/r: the low end is above the high end");
    CHECK(read(R"({"r": [2]})", number) == "/r: a range is [low, high], found 1 values");
    CHECK(read(R"({"r": -1})", number).find("/r: ") == 0);
    CHECK(read(R"({})", number) == "/r: missing");
  }

  TEST_CASE("durations have units and may be longer than a day") {
    Range r;
    CHECK(read(R"({"r": "90 days"})", duration, &r).empty());
    CHECK(r.low == 90.0 * 86400);
    CHECK(read(R"({"r": ["1 min", "2 h"]})", duration, &r).empty());
    CHECK(r == Range{60, 7200});
    CHECK(read(R"({"r": "-1 s"})", duration) == "/r: must be at least 0, found \"-1 s\"");
    CHECK(read(R"({"r": "5 weeks"})", duration).find("unknown unit") != std::string::npos);
    CHECK(read(R"({"r": 5})", duration) == "/r: expected a text, found 5");
    CHECK(read(R"({"r": "40000 days"})", duration).find("must be at most") != std::string::npos);
    CHECK(duration_range_json({60, 7200}) == R"(["60 s", "7200 s"])");
  }
}
