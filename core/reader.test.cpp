#include "core/reader.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace forerun {
namespace {

/// Reads `text` with `read` and gives what it complained about, as a user sees it.
template <class Read>
std::string complaints(std::string_view text, Read read) {
  Problems problems;
  const JsonDocument document = JsonDocument::parse(text, problems);
  Reader top = document.root(problems);
  read(top);
  top.finish();
  return problems.text("f");
}

std::string complaints(std::string_view text) {
  return complaints(text, [](Reader&) {});
}

enum class Sharding { none, zero1, fsdp };
constexpr std::array<std::pair<std::string_view, Sharding>, 3> kShardings = {
    {{"none", Sharding::none}, {"zero1", Sharding::zero1}, {"fsdp", Sharding::fsdp}}};

}  // namespace

TEST_SUITE("core/reader") {
  TEST_CASE("what is right is read without a word") {
    Problems problems;
    const JsonDocument document = JsonDocument::parse(
        R"({"name": "µ", "nodes": 3, "share": 0.5, "whole": 2, "on": true, "link": "400 Gb/s",
            "list": [1, 2], "parts": [{"n": 1}, {"n": 2}], "sharding": "fsdp", "none": null})",
        problems);
    Reader top = document.root(problems);
    CHECK(top.text("name") == "µ");
    CHECK(top.integer("nodes", 1, 10) == 3);
    CHECK(top.number("share", 0, 1) == 0.5);
    CHECK(top.number("whole", 0, 10) == 2.0);
    CHECK(top.boolean("on"));
    CHECK(top.bandwidth("link") == 50.0_GBps);
    CHECK(top.integers("list", 0, 9) == std::vector<std::int64_t>{1, 2});
    CHECK(top.numbers("list", 0, 9) == std::vector<double>{1, 2});
    CHECK(top.choice<Sharding>("sharding", kShardings) == Sharding::fsdp);
    std::int64_t sum = 0;
    for (Reader& part : top.objects("parts")) sum += part.integer("n", 0, 9);
    CHECK(sum == 3);
    CHECK(!top.has("none"));
    CHECK(!top.has("absent"));
    CHECK(top.has("name"));
    top.finish();
    CHECK(problems.text("f") == "");
  }

  TEST_CASE("every mistake of a file is told at once, with place, value and rule") {
    const std::string found = complaints(
        R"({"cluster": {"nodes": 3.7, "gpu_per_node": 8, "link": 400}, "plan": {"tensor": -1},
            "sharding": "fdsp"})",
        [](Reader& top) {
          Reader cluster = top.object("cluster");
          cluster.integer("nodes", 1, 100000);
          cluster.integer("gpus_per_node", 1, 1000);
          cluster.bandwidth("link");
          cluster.finish();
          Reader plan = top.object("plan");
          plan.integer("tensor", 1, std::numeric_limits<std::int64_t>::max());
          plan.finish();
          top.choice<Sharding>("sharding", kShardings);
          Reader absent = top.object("model");
          absent.text("name");  // nothing more is said of what lies in a missing object
          absent.finish();
        });
    CHECK(found ==
          "f: /cluster/nodes: expected an integer, found 3.7\n"
          "f: /cluster/gpus_per_node: missing\n"
          "f: /cluster/link: expected a bandwidth with its unit like \"400 Gb/s\", found 400\n"
          "f: /cluster/gpu_per_node: unknown key (did you mean gpus_per_node?)\n"
          "f: /plan/tensor: must be at least 1, found -1\n"
          "f: /sharding: expected one of none, zero1, fsdp; found \"fdsp\" (did you mean "
          "\"fsdp\"?)\n"
          "f: /model: missing\n");
  }

  TEST_CASE("an integer is exact or refused") {
    const auto count = [](Reader& top) { top.integer("n", 0, 4294967295); };
    CHECK(complaints(R"({"n": 3.0})", count) == "f: /n: expected an integer, found 3.0\n");
    CHECK(complaints(R"({"n": 1e30})", count) == "f: /n: expected an integer, found 1e30\n");
    CHECK(complaints(R"({"n": "3"})", count) == "f: /n: expected an integer, found \"3\"\n");
    CHECK(complaints(R"({"n": null})", count) == "f: /n: expected an integer, found null\n");
    CHECK(complaints(R"({"n": -1})", count) == "f: /n: must be from 0 to 4294967295, found -1\n");
    CHECK(complaints(R"({"n": 18446744073709551615})", count) ==
          "f: /n: must be from 0 to 4294967295, found 18446744073709551615\n");
    CHECK(complaints(R"({"n": 18446744073709551616})", count) ==
          "f: /n: expected an integer, found 18446744073709551616\n");
    CHECK(complaints(R"({"n": 9223372036854775807})", [](Reader& top) {
            CHECK(top.integer("n", 0, std::numeric_limits<std::int64_t>::max()) ==
                  std::numeric_limits<std::int64_t>::max());
          }) == "");
  }

  TEST_CASE("each type says what it expected and what it found") {
    const std::string found =
        complaints(R"({"t": 1, "n": "x", "r": 2, "b": 1, "o": [], "a": {}, "l": [1, "x", {}]})",
                   [](Reader& top) {
                     top.text("t");
                     top.number("n", 0, 1);
                     top.number("r", 0, 1);
                     top.boolean("b");
                     top.object("o");
                     top.objects("a");
                     CHECK(top.numbers("l", 0, 9).size() == 3);
                     CHECK(top.objects("l").size() == 3);
                     CHECK(top.texts("l").at(1) == "x");
                   });
    CHECK(found ==
          "f: /t: expected a text, found 1\n"
          "f: /n: expected a number, found \"x\"\n"
          "f: /r: must be from 0 to 1, found 2\n"
          "f: /b: expected true or false, found 1\n"
          "f: /o: expected an object, found an array\n"
          "f: /a: expected an array, found an object\n"
          "f: /l/1: expected a number, found \"x\"\n"
          "f: /l/2: expected a number, found an object\n"
          "f: /l/0: expected an object, found 1\n"
          "f: /l/1: expected an object, found \"x\"\n"
          "f: /l/0: expected a text, found 1\n"
          "f: /l/2: expected a text, found an object\n");
  }

  TEST_CASE("truncated and malformed text is told by line and column") {
    CHECK(complaints("") ==
          "f: 1:1: syntax error while parsing value - unexpected end of input; expected '[', '{', "
          "or a literal\n");
    CHECK(complaints("{\n  \"a\": 1,\n  \"b\": [1, 2") ==
          "f: 3:13: syntax error while parsing array - unexpected end of input; expected ']'\n");
    CHECK(complaints("{\n  \"a\": x}") ==
          "f: 2:8: syntax error while parsing value - invalid literal; last read: '\"a\": x'\n");
    CHECK(complaints("{} {}") ==
          "f: 1:4: syntax error while parsing value - unexpected '{'; expected end of input\n");
    CHECK(
        complaints("{\"a\": \"\xff\"}").starts_with("f: 1:8: syntax error while parsing value - "));
    CHECK(complaints(std::string_view("{}\n\0{", 5)) == "f: 2:1: a zero byte is not JSON\n");
    CHECK(complaints("{\"a\": 1e999}") == "f: 1:11: number overflow parsing '1e999'\n");
    CHECK(complaints("[1]") == "f: expected an object, found an array\n");
  }

  TEST_CASE("two equal keys are refused wherever they stand") {
    CHECK(complaints(R"({"a": [{"b/c": 1, "d": 2, "b/c": 3, "b/c": 4}]})", [](Reader& top) {
            (void)top.objects("a").at(0).keys();
          }) == "f: /a/0/b~1c: the same key stands here more than once\n");
  }

  TEST_CASE("nesting is allowed to the limit and no further") {
    const auto nested = [](int depth) {
      const auto n = static_cast<std::size_t>(depth - 1);
      return R"({"a": )" + std::string(n, '[') + std::string(n, ']') + "}";
    };
    const auto any = [](Reader& top) { (void)top.keys(); };
    CHECK(complaints(nested(kMaxJsonDepth), any) == "");
    CHECK(complaints(nested(kMaxJsonDepth + 1), any) == "f: /a" + [] {
      std::string zeros;
      while (zeros.size() < 58) zeros += "/0";
      return zeros;
    }() + "...: nested deeper than 64 levels\n");
    CHECK(complaints(nested(10000)).ends_with("nested deeper than 64 levels\n"));
    std::string objects;
    for (int i = 0; i < 10000; ++i) objects += "{\"a\":";
    CHECK(complaints(objects).ends_with("nested deeper than 64 levels\n"));
  }

  TEST_CASE("a wrong unit is told with the nearest and an example") {
    const auto link = [](Reader& top) { top.bandwidth("link"); };
    CHECK(complaints(R"({"link": "400 Gbps"})", link) ==
          "f: /link: unknown unit \"Gbps\" (did you mean \"Gb/s\"?) in \"400 Gbps\"; write a "
          "bandwidth like \"400 Gb/s\"\n");
    CHECK(complaints(R"({"link": "400 GiB"})", link) ==
          "f: /link: unknown unit \"GiB\" in \"400 GiB\"; write a bandwidth like \"400 Gb/s\"\n");
    CHECK(complaints(R"({"link": "400"})", link) ==
          "f: /link: no unit in \"400\"; write a bandwidth like \"400 Gb/s\"\n");
    CHECK(complaints(R"({"link": "fast"})", link) ==
          "f: /link: no number in \"fast\"; write a bandwidth like \"400 Gb/s\"\n");
    CHECK(complaints(R"({"link": "-400 Gb/s"})", link) ==
          "f: /link: must be at least 0, found \"-400 Gb/s\"\n");
    CHECK(complaints(R"({"link": "inf Gb/s"})", link) ==
          "f: /link: no number in \"inf Gb/s\"; write a bandwidth like \"400 Gb/s\"\n");
    CHECK(complaints(R"({"link": "1e999 Gb/s"})", link) ==
          "f: /link: a number out of range in \"1e999 Gb/s\"; write a bandwidth like \"400 "
          "Gb/s\"\n");
    CHECK(complaints(R"({"link": "1e300 TB/s"})", link) ==
          "f: /link: a number out of range in \"1e300 TB/s\"; write a bandwidth like \"400 "
          "Gb/s\"\n");
  }

  TEST_CASE("a quantity beyond any machine's is refused with the bound") {
    const auto link = [](Reader& r) { r.bandwidth("link"); };
    CHECK(complaints(R"({"link": "1 B/s"})", link) ==
          "f: /link: must be at least 1 MB/s, found \"1 B/s\"\n");
    CHECK(complaints(R"({"link": "1e9 TB/s"})", link) ==
          "f: /link: must be at most 1000000 TB/s, found \"1e9 TB/s\"\n");
    CHECK(complaints(R"({"link": "0 B/s"})", link) == "");
    CHECK(complaints(R"({"link": "1 MB/s"})", link) == "");
    const auto time = [](Reader& r) { r.seconds("t"); };
    CHECK(complaints(R"({"t": "1 days"})", time) == "");
    CHECK(complaints(R"({"t": "1e300 s"})", time) ==
          "f: /t: must be at most 1 days, found \"1e300 s\"\n");
    const auto rest = [](Reader& r) {
      r.bytes("b");
      r.flop_rate("f");
      r.watts("w");
      r.dollar_rate("p");
    };
    CHECK(complaints(R"({"b": "1e7 TB", "f": "1e7 PFLOP/s", "w": "1e4 MW", "p": "1e7 USD/h"})",
                     rest) ==
          "f: /b: must be at most 1000000 TB, found \"1e7 TB\"\n"
          "f: /f: must be at most 1000000 PFLOP/s, found \"1e7 PFLOP/s\"\n"
          "f: /w: must be at most 1000 MW, found \"1e4 MW\"\n"
          "f: /p: must be at most 1000000 USD/h, found \"1e7 USD/h\"\n");
  }

  TEST_CASE("a rule across fields says nothing of a key whose value was refused") {
    const auto rule = [](Reader& r) {
      if (r.integer("n", 1, 9) < 1) r.problem("n", "must be at least 1, found 0");
    };
    CHECK(complaints(R"({"n": "x"})", rule) == "f: /n: expected an integer, found \"x\"\n");
  }

  TEST_CASE("more than twenty unknown keys of one object are counted") {
    std::string text = "{";
    for (int i = 0; i < 30; ++i) text += "\"key" + std::to_string(i) + "\": 1,";
    text.back() = '}';
    const std::string found = complaints(text);
    CHECK(std::count(found.begin(), found.end(), '\n') == 21);
    CHECK(found.ends_with("f: 10 more unknown keys\n"));
  }

  TEST_CASE("a rule across fields is told at its place") {
    CHECK(complaints(R"({"plan": {}})", [](Reader& top) {
            Reader plan = top.object("plan");
            plan.problem("", "tensor x data is not the cluster");
            plan.problem("a~b/c", "no");
          }) == "f: /plan: tensor x data is not the cluster\nf: /plan/a~0b~1c: no\n");
  }

  TEST_CASE("keys of a free map come in the file's order") {
    complaints(R"({"z": 1, "a": 2, "m": 3})",
               [](Reader& top) { CHECK(top.keys() == std::vector<std::string>{"z", "a", "m"}); });
  }

  TEST_CASE("what a message shows of a value is short and on one line") {
    const std::string found =
        complaints("{\"n\": \"line\\nbreak \\u001b[2J" + std::string(100, 'x') + "\"}",
                   [](Reader& top) { top.integer("n", 0, 1); });
    CHECK(std::count(found.begin(), found.end(), '\n') == 1);
    CHECK(found.starts_with("f: /n: expected an integer, found \"line\\x0abreak \\x1b[2Jxxx"));
    CHECK(found.ends_with("xxx...\"\n"));
  }
}

TEST_SUITE("core/reader set") {
  TEST_CASE("a value is replaced or added by dotted path or pointer") {
    Problems problems;
    JsonDocument document =
        JsonDocument::parse(R"({"plan": {"tensor": 1}, "list": [{"n": 1}]})", problems);
    document.set("plan.tensor", "8", problems);
    document.set("/plan/data", "16", problems);
    document.set("plan.sharding", "fsdp", problems);
    document.set("plan.link", "400 Gb/s", problems);
    document.set("plan.name", "\"8\"", problems);
    document.set("list.0.n", "7", problems);
    document.set("extra", R"({"deep": [1, 2]})", problems);
    Reader top = document.root(problems);
    Reader plan = top.object("plan");
    CHECK(plan.integer("tensor", 1, 99) == 8);
    CHECK(plan.integer("data", 1, 99) == 16);
    CHECK(plan.choice<Sharding>("sharding", kShardings) == Sharding::fsdp);
    CHECK(plan.bandwidth("link") == 50.0_GBps);
    CHECK(plan.text("name") == "8");
    CHECK(top.objects("list").at(0).integer("n", 0, 9) == 7);
    CHECK(top.object("extra").integers("deep", 0, 9).size() == 2);
    plan.finish();
    top.finish();
    CHECK(problems.text("f") == "");
  }

  TEST_CASE("a path that leads nowhere and a value that was meant as JSON are refused") {
    Problems problems;
    JsonDocument document = JsonDocument::parse(R"({"plan": {"tensor": 1}, "l": []})", problems);
    document.set("plann.tensor", "8", problems);
    document.set("plan.tensor.deep", "8", problems);
    document.set("l.0", "8", problems);
    document.set("l", "[1,", problems);
    CHECK(problems.text("--set") ==
          "--set: /plann: can't set \"plann.tensor\": there is nothing here (did you mean "
          "plan?)\n"
          "--set: /plan/tensor/deep: can't set \"plan.tensor.deep\": no object, and no array with "
          "such an element\n"
          "--set: /l/0: can't set \"l.0\": no object, and no array with such an element\n"
          "--set: /l: can't set to \"[1,\": syntax error while parsing value - unexpected end of "
          "input; expected '[', '{', or a literal\n");
  }

  TEST_CASE("a misspelt key that was set is found by the reader") {
    Problems problems;
    JsonDocument document = JsonDocument::parse(R"({"tensor": 1})", problems);
    document.set("tensr", "8", problems);
    Reader top = document.root(problems);
    top.integer("tensor", 1, 9);
    top.finish();
    CHECK(problems.text("f") == "f: /tensr: unknown key (did you mean tensor?)\n");
  }
}

TEST_SUITE("core/nearest") {
  TEST_CASE("a name is near when at most a third of its letters differ") {
    CHECK(nearest("tensr", {"pipeline", "tensor"}) == "tensor");
    CHECK(nearest("fdsp", {"fsdp"}) == "fsdp");  // two neighbours swapped count once
    CHECK(nearest("abc", {"abd"}) == "abd");     // 1 of 3
    CHECK(nearest("ab", {"ac"}) == "");          // 1 of 2
    CHECK(nearest("h100-sxm-80g", {"a100-sxm-80gb", "h100-sxm-80gb"}) == "h100-sxm-80gb");
    CHECK(nearest("", {"a"}) == "");
    CHECK(nearest("x", {}) == "");
    CHECK(nearest(std::string(1000000, 'x'), {"tensor"}) == "");
  }
}

}  // namespace forerun
