#include "models/mixture/recording.h"

#include <doctest/doctest.h>

#include "models/mixture/modality.h"

namespace forerun::models {
namespace {

std::string refusal(std::string_view text) {
  Problems problems;
  CHECK_FALSE(read_recording(text, 4096, 1, {"image", "text"}, problems));
  return problems.text("seen.jsonl");
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
    CHECK(refusal("\n") == "seen.jsonl: line 1: no composition: expected one a line\n");
    CHECK(refusal("{\"tokens\": {\"text\": 4096}, \"pairs\": 4095}") ==
          "seen.jsonl: line 1: /pairs: must be from 4096 to 16777216, found 4095\n");
  }
}

}  // namespace forerun::models
