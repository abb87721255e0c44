#include "sim/sweep/design.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidcheck.h>

#include <cmath>
#include <map>
#include <set>

#include "core/json_at.h"

namespace forerun::sim {
namespace {

TEST_SUITE("sim/sweep/design") {
  /// A design's text as read_design takes it.
  DesignText read(const std::string& text, Problems& problems) {
    const JsonDocument document = JsonDocument::parse(text, problems);
    Reader top = document.root(problems);
    return read_design(top, text);
  }

  Design made(const std::string& text, std::uint64_t seed = 1) {
    Problems problems;
    DesignText d = read(text, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("design"));
    return {d.name.empty() ? "1" : d.name, d.kind, d.axes, d.points, seed};
  }

  /// "a=1 b=x" for each point.
  std::vector<std::string> points(const Design& design) {
    std::vector<std::string> out;
    for (std::int64_t i = 0; i < design.points(); ++i) {
      std::string text;
      for (const Setting& s : design.at(i)) {
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", s.path, s.value);
      }
      out.push_back(text);
    }
    return out;
  }

  std::string problem_of(const std::string& text) {
    Problems problems;
    (void)read(text, problems);
    REQUIRE(!problems.empty());
    return problems.list().front().where + ": " + problems.list().front().what;
  }

  TEST_CASE("a grid has every combination, the last axis fastest") {
    CHECK(points(made(R"({"kind": "grid", "axes": [
            {"path": "a", "values": [1, 2]},
            {"paths": ["b", "c"], "values": [["x", true], ["y", null]]},
            {"path": "d", "from": 1, "to": 100, "count": 3, "scale": "log"}]})")) ==
          std::vector<std::string>{
              R"(a=1 b="x" c=true d=1)", R"(a=1 b="x" c=true d=10)", R"(a=1 b="x" c=true d=100)",
              R"(a=1 b="y" c=null d=1)", R"(a=1 b="y" c=null d=10)", R"(a=1 b="y" c=null d=100)",
              R"(a=2 b="x" c=true d=1)", R"(a=2 b="x" c=true d=10)", R"(a=2 b="x" c=true d=100)",
              R"(a=2 b="y" c=null d=1)", R"(a=2 b="y" c=null d=10)", R"(a=2 b="y" c=null d=100)"});
  }

  TEST_CASE("a list goes through its axes together") {
    CHECK(points(made(R"({"kind": "list", "axes": [
            {"path": "a", "values": [5, 3, 4]},
            {"path": "b.c", "from": 0, "to": 1, "count": 3, "unit": "GB/s"}]})")) ==
          std::vector<std::string>{R"(a=5 b.c="0 GB/s")", R"(a=3 b.c="0.5 GB/s")",
                                   R"(a=4 b.c="1 GB/s")"});
  }

  TEST_CASE("whole numbers of a range, both ends among them") {
    CHECK(points(made(
              R"({"kind": "grid", "axes": [{"path": "n", "from": 1, "to": 8, "count": 4,
                  "scale": "log", "integer": true}]})")) ==
          std::vector<std::string>{"n=1", "n=2", "n=4", "n=8"});
    CHECK(points(made(R"({"kind": "grid", "axes": [{"path": "n", "from": -2, "to": 2, "count": 5,
                  "integer": true}]})")) ==
          std::vector<std::string>{"n=-2", "n=-1", "n=0", "n=1", "n=2"});
  }

  TEST_CASE("values of a range are rounded to 12 digits: no 99.99999999999997") {
    for (const std::string& p : points(made(
             R"({"kind": "grid", "axes": [{"path": "x", "from": 1e-3, "to": 1e3, "count": 7,
                 "scale": "log"}]})"))) {
      CHECK(p.size() <= 7);
    }
  }

  TEST_CASE("what is drawn depends on seed, names and number alone: more points change none") {
    const std::string few = R"({"name": "d", "kind": "random", "points": 5, "axes": [
        {"path": "a", "from": 0, "to": 1}]})";
    const std::string more = R"({"name": "d", "kind": "random", "points": 9, "axes": [
        {"path": "z", "values": [1, 2, 3]}, {"path": "a", "from": 0, "to": 1}]})";
    const Design one = made(few), other = made(more);
    for (std::int64_t i = 0; i < one.points(); ++i) CHECK(one.at(i)[0] == other.at(i)[1]);
    CHECK(points(one) != points(made(few, 2)));
    const std::vector<std::string> all = points(one);
    CHECK(std::set<std::string>(all.begin(), all.end()).size() == all.size());
  }

  TEST_CASE("random draws fill their axes: mean and shares as they should be") {
    // 20,000 draws: the standard error of a mean of [0, 1] is 0.002, of a third 0.0033.
    const Design d = made(R"({"kind": "random", "points": 20000, "axes": [
        {"path": "x", "from": 1, "to": 10000, "scale": "log"},
        {"path": "n", "from": 1, "to": 3, "integer": true},
        {"path": "c", "values": ["p", "q", "r"]}]})");
    double sum = 0;
    std::map<std::string, int> n, c;
    for (std::int64_t i = 0; i < d.points(); ++i) {
      const std::vector<Setting> s = d.at(i);
      sum += std::log10(std::stod(s[0].value)) / 4;
      ++n[s[1].value];
      ++c[s[2].value];
    }
    CHECK(sum / 20000 == doctest::Approx(0.5).epsilon(0.02));
    CHECK(n.size() == 3);
    for (const auto& [value, count] : n)
      CHECK(count / 20000.0 == doctest::Approx(1 / 3.0).epsilon(0.05));
    for (const auto& [value, count] : c)
      CHECK(count / 20000.0 == doctest::Approx(1 / 3.0).epsilon(0.05));
  }

  TEST_CASE("a Latin hypercube has one point in each part of each axis") {
    CHECK(rc::check([] {
      const std::int64_t n = *rc::gen::inRange<std::int64_t>(1, 200);
      const auto seed = *rc::gen::arbitrary<std::uint32_t>();
      const std::int64_t choices = *rc::gen::inRange<std::int64_t>(1, 8);
      std::string values;
      for (std::int64_t i = 0; i < choices; ++i)
        values += fmt::format("{}{}", i > 0 ? ", " : "", i);
      Problems problems;
      const std::string text = fmt::format(
          R"({{"kind": "latin_hypercube", "points": {}, "axes": [
              {{"path": "x", "from": -3, "to": 5}},
              {{"path": "y", "from": 0.001, "to": 10, "scale": "log"}},
              {{"path": "c", "values": [{}]}}]}})",
          n, values);
      const JsonDocument document = JsonDocument::parse(text, problems);
      Reader top = document.root(problems);
      DesignText d = read_design(top, text);
      RC_ASSERT(problems.empty());
      const Design design("1", d.kind, d.axes, d.points, seed);
      std::set<std::int64_t> x, y;
      std::map<std::string, std::int64_t> c;
      for (std::int64_t i = 0; i < n; ++i) {
        const std::vector<Setting> s = design.at(i);
        const auto part = [&](double share) {
          // Rounding to 12 digits may put a value onto the edge of its part.
          return std::min(
              n - 1, static_cast<std::int64_t>(std::floor(share * static_cast<double>(n) + 1e-7)));
        };
        x.insert(part((std::stod(s[0].value) + 3) / 8));
        y.insert(part(std::log10(std::stod(s[1].value) / 0.001) / 4));
        ++c[s[2].value];
      }
      RC_ASSERT(std::ssize(x) == n);
      RC_ASSERT(std::ssize(y) == n);
      // Choices have their equal shares, up to the parts that two of them share.
      for (const auto& [value, count] : c) {
        RC_ASSERT(count >= n / choices - 1);
        RC_ASSERT(count <= n / choices + 2);
      }
    }));
  }

  TEST_CASE("the axes of a Latin hypercube are matched at random") {
    const Design d = made(R"({"kind": "latin_hypercube", "points": 400, "axes": [
        {"path": "x", "from": 0, "to": 1}, {"path": "y", "from": 0, "to": 1}]})");
    double xy = 0;
    for (std::int64_t i = 0; i < 400; ++i) {
      const std::vector<Setting> s = d.at(i);
      xy += (std::stod(s[0].value) - 0.5) * (std::stod(s[1].value) - 0.5) / 400;
    }
    // Correlation: of 400 pairs its standard error is 0.05.
    CHECK(std::abs(xy * 12) < 0.2);
  }

  TEST_CASE("what makes no design is refused, by name") {
    const auto axes = [](const std::string& kind, const std::string& list) {
      return R"({"kind": ")" + kind + R"(", "axes": [)" + list + "]}";
    };
    CHECK(
        problem_of(axes("gird", "{\"path\": \"a\", \"values\": [1]}")) ==
        "/kind: expected one of grid, list, random, latin_hypercube; found \"gird\" (did you mean "
        "\"grid\"?)");
    CHECK(problem_of(axes("grid", "")) == "/axes: empty: a design varies something");
    CHECK(problem_of(axes("grid", R"({"path": "a"})")) ==
          "/axes/0: an axis has values, or a range: from and to");
    CHECK(problem_of(axes("grid", R"({"path": "a", "values": [1], "to": 3})"))
              .starts_with("/axes/0/values: given, and so is a range"));
    CHECK(problem_of(axes("grid", R"({"path": "a", "values": []})")) ==
          "/axes/0/values: empty: an axis has a value at least");
    CHECK(problem_of(axes("grid", R"({"path": "a", "from": 0, "to": 3})")) ==
          "/axes: a has no count: how many values has it in a grid?");
    CHECK(problem_of(axes("grid", R"({"path": "a", "from": 3, "to": 3, "count": 2})")) ==
          "/axes/0/to: must be above from, 3");
    CHECK(problem_of(
              axes("grid", R"({"path": "a", "from": 0, "to": 3, "count": 2, "scale": "log"})")) ==
          "/axes/0/from: must be above 0: the scale is log");
    CHECK(problem_of(
              axes("grid", R"({"path": "a", "from": 1, "to": 3, "count": 4, "integer": true})")) ==
          "/axes/0/count: 4, but there are 3 whole numbers from 1 to 3");
    CHECK(problem_of(
              axes("list", R"({"path": "a", "values": [1, 2]}, {"path": "b", "values": [1]})")) ==
          "/axes: a has 2 values and b has 1: a list goes through all together");
    CHECK(problem_of(
              axes("grid", R"({"path": "a", "values": [1]}, {"path": "/a", "values": [1]})")) ==
          "/axes: a is set twice");
    CHECK(problem_of(
              axes("grid", R"({"path": "a.b", "values": [1]}, {"path": "a", "values": [1]})")) ==
          "/axes: a is set, and so is a.b, inside it");
    CHECK(problem_of(axes("grid", R"({"paths": ["a", "b"], "values": [[1, 2], [1]]})")) ==
          "/axes/0/values: [1] must be an array of 2 values, one for each path");
    CHECK(problem_of(R"({"kind": "random", "points": 3, "axes": [
            {"path": "a", "from": 0, "to": 1, "count": 2}]})") ==
          "/axes: a has a count, but points says how many are drawn");
    CHECK(problem_of(R"({"kind": "grid", "axes": [
            {"path": "a", "from": 0, "to": 1, "count": 2000},
            {"path": "b", "from": 0, "to": 1, "count": 2000}]})") ==
          "/axes: more than 1000000 points");
  }
}

}  // namespace
}  // namespace forerun::sim
