#include "models/loss/law.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/statistics.h"

namespace forerun::models {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const char* const kPair = R"({
  "schema": 1, "name": "pair", "form": "interaction", "what": "a test",
  "constants": {
    "text.E": {"value": 1.8, "evidence": "fitted", "source": "s", "interval_90": [1.7, 1.9]},
    "text.A": {"value": 400, "evidence": "assumed", "source": "s", "range": [100, 900]},
    "speech|text.C": {"value": 0.6, "evidence": "derived", "source": "s", "standard_error": 0.1},
    "speech|text.alpha": {"value": 0.15, "evidence": "derived", "source": "s"}
  },
  "missing": {"speech.E": "never published"},
  "joint_draws": [{"constants": ["text.E", "speech|text.C"], "source": "bootstrap",
                   "draws": [1.75, 0.5, 1.85, 0.7]}],
  "domain": {"parameters": [8e6, 6.7e9], "source": "s"},
  "caveats": ["one", "two"]
})";

Law pair_law() {
  Problems problems;
  auto law = read_law(kPair, problems);
  REQUIRE_MESSAGE(law, problems.text("law"));
  return *law;
}

std::string problems_of(const std::string& text) {
  Problems problems;
  CHECK_FALSE(read_law(text, problems));
  return problems.text("law");
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_SUITE("models/loss/law") {
  TEST_CASE("what is written reads back as the same law") {
    const Law law = pair_law();
    Problems problems;
    const auto again = read_law(law_json(law), problems);
    REQUIRE_MESSAGE(again, problems.text("law"));
    CHECK(*again == law);
  }

  TEST_CASE("every law that comes with the program reads, and its constants have sources") {
    for (const std::string& name : law_names()) {
      const Law law = load_law(name);
      CHECK_MESSAGE(law.name == name, name);
      CHECK_MESSAGE(!law.domain_source.empty(), name);
      for (const auto& [constant, c] : law.constants) CHECK_FALSE(c.source.empty());
    }
  }

  TEST_CASE("joint draws keep their rows together, and others have the spread they state") {
    const Law law = pair_law();
    std::vector<double> a;
    for (std::uint64_t i = 0; i < 400; ++i) {
      const ConstantValues v = drawn_values(law, 7, i);
      // Rows (1.75, 0.5) and (1.85, 0.7) only.
      CHECK(v.at("speech|text.C") == (v.at("text.E") == 1.75 ? 0.5 : 0.7));
      CHECK(v.at("speech|text.alpha") == 0.15);
      a.push_back(v.at("text.A"));
    }
    // Uniform in the logarithm from 100 to 900: its median is 300, its quartiles 100 x 9^(1/4) =
    // 173 and 520.
    CHECK(median(a) == doctest::Approx(300).epsilon(0.1));
    CHECK(quantile(a, 0.25) == doctest::Approx(173).epsilon(0.1));
    CHECK(quantile(a, 0.0) >= 100);
    CHECK(quantile(a, 1.0) <= 900);
  }

  TEST_CASE("an interval's ends are the quantiles that it says, in the logarithm") {
    const Law law = load_law("chinchilla_epoch");
    std::vector<double> b;
    for (std::uint64_t i = 0; i < 4000; ++i) b.push_back(drawn_values(law, 1, i).at("B"));
    CHECK(quantile(b, 0.025) == doctest::Approx(1042.357).epsilon(0.05));
    CHECK(quantile(b, 0.975) == doctest::Approx(5810.344).epsilon(0.05));
  }

  TEST_CASE("a constant that is not there is refused with the reason and what can be done") {
    const Law law = pair_law();
    Problems problems;
    (void)required(law, central_values(law), "speech.E", problems);
    (void)required(law, central_values(law), "speech.B", problems);
    CHECK(has(problems.text(""), "constant speech.E is not known (never published)"));
    CHECK(has(problems.text(""), "constant speech.B is not known: fit it"));
  }

  TEST_CASE("an assumption fills what is missing and carries its range") {
    Law law = pair_law();
    Problems problems;
    const JsonDocument document = JsonDocument::parse(
        R"({"speech.E": {"value": 2.0, "range": [1.0, 3.0], "source": "like text"},
            "speech.F": {"value": 2.0, "range": [1.0, 3.0], "source": "x"},
            "speech.B": {"value": 2.0, "source": "x"}})",
        problems);
    Reader top = document.root(problems);
    assume_constant(law, "speech.E", top);
    CHECK(problems.empty());
    CHECK(law.constants.at("speech.E").evidence == Evidence::assumed);
    CHECK(law.weakest_evidence() == Evidence::assumed);
    CHECK_FALSE(law.missing.contains("speech.E"));
    assume_constant(law, "speech.F", top);
    assume_constant(law, "speech.B", top);
    CHECK(has(problems.text(""), "/speech.F"));
    CHECK(has(problems.text(""), "/speech.B/range: missing"));
  }

  TEST_CASE("an assumption's own range is drawn, whatever was fitted together with it") {
    Law law = pair_law();
    Problems problems;
    const JsonDocument document = JsonDocument::parse(
        R"({"speech|text.C": {"value": 3.0, "range": [2.0, 4.0], "source": "a guess"}})", problems);
    Reader top = document.root(problems);
    assume_constant(law, "speech|text.C", top);
    REQUIRE_MESSAGE(problems.empty(), problems.text(""));
    for (std::uint64_t i = 0; i < 50; ++i) {
      const ConstantValues v = drawn_values(law, 7, i);
      CHECK(v.at("speech|text.C") >= 2);
      const bool of_a_row = v.at("text.E") == 1.75 || v.at("text.E") == 1.85;
      CHECK(of_a_row);
    }
  }

  TEST_CASE("a joint draw outside the form's limits is refused, and so is one too many") {
    CHECK(has(problems_of(replaced(kPair, "[1.75, 0.5, 1.85, 0.7]", "[-1.75, 0.5, 1.85, 7000]")),
              "/joint_draws/0/draws: -1.75 of text.E: must be from 0 to 100"));
    CHECK(has(
        problems_of(replaced(kPair, "[\"text.E\", \"speech|text.C\"]", "[\"text.E\", \"text.E\"]")),
        "\"text.E\" has joint draws twice"));
  }

  TEST_CASE("an assumption is a value inside its range, with a source, of a pair in order") {
    const auto says = [](const std::string& name, const std::string& constant) {
      Law law = pair_law();
      Problems problems;
      const JsonDocument document =
          JsonDocument::parse("{\"" + name + "\": " + constant + "}", problems);
      Reader top = document.root(problems);
      assume_constant(law, name, top);
      return problems.text("");
    };
    CHECK(says("speech.E", R"({"value": 2, "range": [1, 3], "source": "x"})").empty());
    CHECK(has(says("speech.E", R"({"value": 5, "range": [1, 3], "source": "x"})"),
              "/speech.E/range: does not hold the value, 5"));
    CHECK(has(says("speech.E", R"({"value": 2, "range": [1, 3], "source": ""})"),
              "/speech.E/source: empty"));
    CHECK(has(says("speech.E", R"({"value": 2, "standard_error": 0, "source": "x"})"),
              "/speech.E/standard_error: 0"));
    CHECK(has(says("text|speech.C", R"({"value": 2, "range": [1, 3], "source": "x"})"),
              "alphabetical order: speech|text.C"));
    CHECK(has(says("text|text.C", R"({"value": 2, "range": [1, 3], "source": "x"})"),
              "/text|text.C"));
  }

  TEST_CASE("a run outside what the law rests on is said, by input") {
    const auto said = outside_domain(pair_law(), {{"parameters", 30e9}, {"tokens", 1e30}});
    REQUIRE(said.size() == 1);
    CHECK(said[0] == "3e+10 parameters: law pair rests on 8e+06 to 6.7e+09");
  }

  TEST_CASE("a law that is not there is refused with the nearest name") {
    CHECK_THROWS_WITH_AS((void)load_law("chinchila_epoch"),
                         "there is no loss law \"chinchila_epoch\"", Error);
  }

  TEST_CASE("wrong laws are refused with path and rule") {
    CHECK(has(problems_of(replaced(kPair, "\"text.E\"", "\"text.F\"")), "/constants/text.F"));
    CHECK(has(problems_of(replaced(kPair, "1.8,", "-1.8,")), "/constants/text.E/value"));
    CHECK(has(problems_of(replaced(kPair, ", \"range\": [100, 900]", "")),
              "/constants/text.A/range: missing: an assumed number states its range"));
    CHECK(has(problems_of(replaced(kPair, "[1.75, 0.5, 1.85, 0.7]", "[1.75, 0.5, 1.85]")),
              "/joint_draws/0/draws: 3 numbers: must be some rows of 2"));
    CHECK(has(problems_of(replaced(kPair, "[8e6, 6.7e9]", "[6.7e9, 8e6]")), "/domain/parameters"));
    CHECK(has(problems_of(replaced(kPair, "interaction", "interacton")), "interaction"));
    CHECK(has(problems_of(replaced(kPair, "\"speech.E\": \"never", "\"text.E\": \"never")),
              "both missing and stated"));
    CHECK(has(problems_of(R"({"schema": 1, "name": "x", "form": "power", "what": "",
                              "constants": {}, "domain": {"source": ""}})"),
              "/constants/E: missing: a law of form power has it"));
  }
}

}  // namespace
}  // namespace forerun::models
