#include "models/mixture/recording.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "models/mixture/composition.h"
#include "models/mixture/mixture.h"
#include "models/mixture/modality.h"

namespace forerun::models {
namespace {

std::string refusal(std::string_view text) {
  Problems problems;
  CHECK_FALSE(read_recording(text, 4096, 1, {"image", "text"}, problems));
  return problems.text("seen.jsonl");
}

/// Of a scenario's mixture, for micro-batches of two sequences of 4,096 tokens.
Mixture mixture_of(const std::string& text, Problems& problems) {
  const JsonDocument document = JsonDocument::parse(text, problems);
  Reader root = document.root(problems);
  return read_recorded_mixture(root, 4096, 2, {"image", "text"});
}

std::string refused_mixture(const std::string& text) {
  Problems problems;
  CHECK_FALSE(mixture_of(text, problems).recording);
  return problems.text("s");
}

}  // namespace

TEST_SUITE("models/mixture/recording") {
  // The second line's 4,000 tokens of one sequence: 4000 x 4001 / 2 pairs. The third's pairs are
  // those of two causal documents of 2,048: 2 x 2048 x 2049 / 2.
  TEST_CASE("compositions are read with the modalities that occur, and dealt in order") {
    Problems problems;
    const auto seen = read_recording(
        "{\"tokens\": {\"text\": 3000, \"image\": 1096}, \"items\": {\"image\": 1}}\n\n"
        "{\"tokens\": {\"text\": 4000}, \"padding\": 96}\r\n"
        "{\"tokens\": {\"text\": 4096}, \"documents\": 2, \"pairs\": 4196352}",
        4096, 1, modality_names(), problems);
    REQUIRE_MESSAGE(seen, problems.text("seen"));
    CHECK(seen->modalities == std::vector<std::string>{"image", "text"});
    const std::vector<Composition>& list = seen->compositions;
    REQUIRE(list.size() == 3);
    CHECK(list[0] == Composition{{1096, 3000}, 0, {1, 0}, 0, 4096.0 * 4097 / 2, 4096});
    CHECK(list[1] == Composition{{0, 4000}, 96, {0, 0}, 0, 4000.0 * 4001 / 2, 4000});
    CHECK(list[2] == Composition{{0, 4096}, 0, {0, 0}, 2, 4196352, 2048});
    // Two replicas of two micro-batches: 0, 1 | 2, 0, and the next step goes on with 1.
    CHECK(&seen->at(0, 0, 1, 2, 2) == &list[1]);
    CHECK(&seen->at(0, 1, 0, 2, 2) == &list[2]);
    CHECK(&seen->at(0, 1, 1, 2, 2) == &list[0]);
    CHECK(&seen->at(1, 0, 0, 2, 2) == &list[1]);
  }

  TEST_CASE("wrong lines are refused with their number, all at once") {
    CHECK(refusal("{\"tokens\": {\"text\": 4096}}\n"
                  "{\"tokens\": {\"text\": 4000, \"image\": 90}, \"padding\": 5}\n"
                  "{\"tokens\": {\"text\": 3000, \"imgae\": 1096}}\n"
                  "{\"tokens\": {\"text\": 4096}, \"pair\": 1}\n") ==
          "seen.jsonl: line 2: /tokens: 4090 and 5 of padding, not the micro-batch's 1 x 4096 = "
          "4096\n"
          "seen.jsonl: line 3: /tokens/imgae: no modality of the model: did you mean image?\n"
          "seen.jsonl: line 4: /pair: unknown key (did you mean pairs?)\n");
    CHECK(
        refusal(
            "{\"source\": \"a log\", \"evidence\": \"masured\"}\n{\"tokens\": {\"text\": 4096}}") ==
        "seen.jsonl: line 1: /evidence: expected one of measured, published, fitted, derived, "
        "assumed; found \"masured\" (did you mean \"measured\"?)\n");
    CHECK(refusal("\n") == "seen.jsonl: line 1: no composition: expected one a line\n");
    CHECK(refusal("{\"tokens\": {\"text\": 4096}, \"pairs\": 4095}") ==
          "seen.jsonl: line 1: /pairs: must be from 4096 to 16777216, found 4095\n");
  }

  TEST_CASE("a first line says where the others come from and is no micro-batch") {
    Problems problems;
    const auto seen = read_recording(
        "{\"source\": \"a log\", \"evidence\": \"measured\"}\n{\"tokens\": {\"text\": 4096}}", 4096,
        1, {"text"}, problems);
    REQUIRE_MESSAGE(seen, problems.text("seen"));
    CHECK(seen->compositions.size() == 1);
    CHECK(seen->source == "a log");
    CHECK(seen->evidence == Evidence::measured);
  }

  TEST_CASE("of many wrong lines the first twenty are told") {
    std::string lines;
    for (int i = 0; i < 30; ++i) lines += "{\"tokens\": {\"text\": 1}}\n";
    const std::string told = refusal(lines);
    CHECK(std::ranges::count(told, '\n') == 21);
    CHECK(told.ends_with("seen.jsonl: line 21: not read, for so many before it are wrong\n"));
  }

  // 2,048 and 6,144 tokens of images: 4,096 of 8,192 on the mean, half. Pairs of plain sequences:
  // 2 x 4096 x 4097 / 2.
  TEST_CASE("the mean of a recording is that of its lines") {
    Problems problems;
    Mixture m;
    m.recording = read_recording(
        "{\"tokens\": {\"image\": 2048, \"text\": 6144}, \"items\": {\"image\": 2}, \"documents\": "
        "5}\n"
        "{\"tokens\": {\"image\": 6144, \"text\": 2048}, \"items\": {\"image\": 6}, \"documents\": "
        "9}\n",
        4096, 2, {"image", "text"}, problems);
    REQUIRE_MESSAGE(m.recording, problems.text("seen"));
    m.modalities = m.recording->modalities;
    CHECK(mean_composition(m, 4096, 2) ==
          Composition{{4096, 4096}, 0, {4, 0}, 7, 4096.0 * 4097, 4096});
    CHECK(mean_shares(m) == std::vector<double>{0.5, 0.5});
    CHECK(law_shares(m) == std::map<std::string, double>{{"image", 0.5}, {"text", 0.5}});
    CHECK_THROWS_WITH_AS(static_cast<void>(with_share(m, "image", 0.4)),
                         "the recording  has the shares that it has", Error);
  }

  TEST_CASE("the ready recording is what its first line says: draws of the ready mixture") {
    Problems problems;
    const Mixture m = mixture_of("{\"recording\": \"chameleon-2x4096\"}", problems);
    REQUIRE_MESSAGE(m.recording, problems.text("s"));
    CHECK(m.recording->evidence == Evidence::assumed);
    CHECK(m.recording->compositions.size() == 64);
    const Mixture drawn = load_mixture("chameleon");
    CHECK(m.modalities == drawn.modalities);
    for (std::int64_t i = 0; i < 64; ++i) {
      CHECK(m.recording->at(0, i, 0, 64, 1) == draw(drawn, 4096, 2, 1, 0, i, 0));
    }
  }

  TEST_CASE("a mixture that names no recording, or more than one, is refused") {
    CHECK(refused_mixture("{\"recording\": \"chamelon-2x4096\"}") ==
          "s: /recording: \"chamelon-2x4096\" is no file and no recording: did you mean "
          "chameleon-2x4096?\n");
    Problems problems;
    static_cast<void>(
        mixture_of("{\"recording\": \"chameleon-2x4096\", \"base\": \"chameleon\"}", problems));
    CHECK(problems.text("s") ==
          "s: /base: given, and so is recording: what was recorded is taken as it is\n");
  }
}

}  // namespace forerun::models
