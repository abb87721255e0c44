// The reader against what no author of a scenario would write: any text gives a document or
// problems, never a crash, an exception or a wait.

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

#include "core/reader.h"

namespace forerun {
namespace {

constexpr std::string_view kScenario = R"({
  "schema": 1, "name": "thin µ path", "cluster": {"nodes": 2, "link": "400 Gb/s", "racks": [1, 2]},
  "plan": {"tensor": 8, "pipeline": 16, "sharding": "zero1", "overlap": true, "share": 0.25},
  "parts": [{"bytes": "80 GiB", "wait": "5 us"}, {"bytes": "1 B", "wait": "0 s"}], "none": null
})";

/// Asks for everything the text may hold in every way there is, right or wrong.
void read_everything(Reader reader, int depth) {
  std::vector<std::string> keys = reader.keys();
  keys.emplace_back("absent");
  for (const std::string& key : keys) {
    (void)reader.has(key);
    (void)reader.text(key);
    (void)reader.integer(key, -5, 5);
    (void)reader.number(key, 0.0, 1.0);
    (void)reader.boolean(key);
    (void)reader.bandwidth(key);
    (void)reader.seconds(key);
    (void)reader.numbers(key, -1.0, 1.0);
    (void)reader.integers(key, 0, 1);
    (void)reader.texts(key);
    if (depth >= 4) continue;  // each level is visited twice: this bounds the work, not the reader
    read_everything(reader.object(key), depth + 1);
    for (Reader& part : reader.objects(key)) read_everything(part, depth + 1);
  }
  reader.finish();
}

void survives(std::string_view text) {
  Problems problems;
  JsonDocument document = JsonDocument::parse(text, problems);
  document.set(text, text, problems);
  document.set("plan.tensor", text, problems);
  read_everything(document.root(problems), 0);
  for (const Problem& problem : problems.list()) {
    RC_ASSERT(!problem.what.empty());
    RC_ASSERT(problem.what.size() < 2000u);
  }
}

/// Cuts, repeats, swaps and overwrites pieces of a right text, with bytes that JSON gives a
/// meaning.
rc::Gen<std::string> mutated() {
  return rc::gen::exec([] {
    std::string text(kScenario);
    const int edits = *rc::gen::inRange(1, 8);
    for (int i = 0; i < edits; ++i) {
      const std::size_t at = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
      const std::size_t length = *rc::gen::inRange<std::size_t>(0, text.size() - at + 1);
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
          text.resize(at);
          break;
        case 1:
          text.erase(at, length);
          break;
        case 2:
          text.insert(at, text.substr(at, length));
          break;
        default:
          text.insert(at, 1,
                      *rc::gen::element('{', '}', '[', ']', '"', ':', ',', '\\', '-', 'e', '9', '.',
                                        'u', '\0', '\n', '\xc3', '\x80', '~', '/'));
      }
    }
    return text;
  });
}

}  // namespace

TEST_SUITE("core/reader fuzz") {
  TEST_CASE("any bytes give a document or problems") {
    CHECK(rc::check("random bytes", [](const std::string& text) { survives(text); }));
  }

  TEST_CASE("a damaged scenario gives a document or problems") {
    CHECK(rc::check("mutated scenario", [] {
      for (int i = 0; i < 20; ++i) survives(*mutated());
    }));
  }

  TEST_CASE("every truncation of a scenario is one problem at its end") {
    for (std::size_t length = 0; length < kScenario.size(); ++length) {
      Problems problems;
      (void)JsonDocument::parse(kScenario.substr(0, length), problems);
      CAPTURE(length);
      CHECK(problems.list().size() == 1);
    }
    Problems problems;
    (void)JsonDocument::parse(kScenario, problems);
    CHECK(problems.empty());
  }

  TEST_CASE("a hostile file of a million members is read in time that grows with its size") {
    // Equal keys found pair by pair would be 5e11 comparisons, hours of them.
    std::string text = "{";
    for (int i = 0; i < 1000000; ++i) text += "\"" + std::to_string(i) + "\":1,";
    text.back() = '}';
    Problems problems;
    const JsonDocument document = JsonDocument::parse(text, problems);
    Reader top = document.root(problems);
    CHECK(top.keys().size() == 1000000);
    top.finish();
    CHECK(problems.empty());
  }
}

}  // namespace forerun
