#include "models/mixture/composition.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include "core/error.h"
#include "models/mixture/modality.h"

namespace forerun::models {
namespace {

Mixture read(const std::string& text, Problems& problems) {
  const JsonDocument document = JsonDocument::parse(text, problems);
  Reader root = document.root(problems);
  return read_mixture(root);
}

std::string refusal(const std::string& text) {
  Problems problems;
  static_cast<void>(read(text, problems));
  std::string all;
  for (const Problem& p : problems.list()) all += p.where + ": " + p.what + "\n";
  return all;
}

}  // namespace

TEST_SUITE("models/mixture") {
  TEST_CASE("every modality and every ready mixture can be read") {
    for (const std::string& name : modality_names()) CHECK(load_modality(name).name == name);
    for (const std::string& name : mixture_names()) CHECK(load_mixture(name).name == name);
    CHECK(load_modality("image").tokens_per_item == 1024);
    CHECK(load_modality("image-patches").mask == SpanMask::bidirectional);
    CHECK_THROWS_WITH_AS(static_cast<void>(load_modality("imgae")),
                         "there is no modality \"imgae\"", Error);
  }

  // Of 4,000 sequences of 4,096 tokens each holds some 3 to 60 documents, so that a share of the
  // tokens has a standard error below 0.5 / sqrt(4000) = 0.008; within two of them.
  TEST_CASE("kinds of documents have their shares of the tokens") {
    const Mixture m = load_mixture("chameleon");
    const std::vector<double> expected = mean_shares(m);
    std::vector<double> tokens(m.modalities.size());
    for (std::int64_t i = 0; i < 4000; ++i) {
      const Composition c = draw(m, 4096, 1, 5, 0, i, 0);
      for (std::size_t k = 0; k < tokens.size(); ++k) tokens[k] += static_cast<double>(c.tokens[k]);
    }
    for (std::size_t k = 0; k < tokens.size(); ++k) {
      CHECK(std::abs(tokens[k] / (4000.0 * 4096) - expected[k]) < 0.016);
    }
  }

  TEST_CASE("a draw depends on its step, replica and micro-batch and on nothing asked before") {
    const Mixture m = load_mixture("chameleon-speech");
    const Composition first = draw(m, 4096, 2, 9, 1, 2, 3);
    CHECK(draw(m, 4096, 2, 9, 1, 2, 4) != first);
    CHECK(draw(m, 4096, 2, 9, 1, 3, 3) != first);
    CHECK(draw(m, 4096, 2, 9, 2, 2, 3) != first);
    CHECK(draw(m, 4096, 2, 9, 1, 2, 3) == first);
    // Steps beyond 2^12 and micro-batches beyond 2^8 are others still.
    CHECK(draw(m, 4096, 2, 9, 1 + (1 << 12), 2, 3) != first);
    CHECK(draw(m, 4096, 2, 9, 1, 2, 3 + (1 << 8)) != first);
  }

  TEST_CASE("micro-batches are the same in whichever order they are asked") {
    CHECK(rc::check([] {
      const Mixture m = load_mixture("seven-modalities");
      const auto seed = *rc::gen::arbitrary<std::uint64_t>();
      std::vector<Composition> forwards, backwards;
      for (std::int64_t i = 0; i < 12; ++i) {
        forwards.push_back(draw(m, 2048, 1, seed, 0, i / 4, i % 4));
      }
      for (std::int64_t i = 11; i >= 0; --i) {
        backwards.push_back(draw(m, 2048, 1, seed, 0, i / 4, i % 4));
      }
      std::ranges::reverse(backwards);
      RC_ASSERT(forwards == backwards);
    }));
  }

  // The law of large numbers with the draws' own standard error: the mean of 4,000 is within five
  // of it.
  TEST_CASE("the mean composition is what draws tend to") {
    for (const std::string& name : mixture_names()) {
      for (const bool mask : {false, true}) {
        CAPTURE(name);
        Mixture m = load_mixture(name);
        m.mask_documents = mask;
        const auto quantities = [](const Composition& c) {
          std::vector<double> all = {static_cast<double>(c.documents), c.pairs, c.mean_segment};
          for (const std::int64_t n : c.tokens) all.push_back(static_cast<double>(n));
          for (const std::int64_t n : c.items) all.push_back(static_cast<double>(n));
          return all;
        };
        const std::vector<double> mean = quantities(mean_composition(m, 4096, 256));
        std::vector<double> sum(mean.size()), square(mean.size());
        for (std::int64_t i = 0; i < 4000; ++i) {
          const std::vector<double> one = quantities(draw(m, 4096, 1, 7, 0, i, 0));
          for (std::size_t k = 0; k < one.size(); ++k) {
            sum[k] += one[k] / 4000;
            square[k] += one[k] * one[k] / 4000;
          }
        }
        for (std::size_t k = 0; k < mean.size(); ++k) {
          const double error = std::sqrt(std::max(0.0, square[k] - sum[k] * sum[k]) / 4000);
          // Of 256 sequences the mean is rounded to a whole number, 1 / 512 of one at most; pairs
          // and segments may be the mean of 256 draws, with an error four times as large.
          const bool drawn = k == 1 || k == 2;
          const double expected = k == 2 ? mean[k] : mean[k] / 256;
          CHECK(std::abs(sum[k] - expected) <= (drawn ? 5 * 4.2 : 5.0) * error + 1.0 / 256);
        }
      }
    }
  }

  // 4,096 x 4,097 / 2 = 8,390,656 a sequence.
  TEST_CASE("text alone is causal sequences") {
    const Composition c = uniform_text(4096, 2);
    CHECK(c == Composition{{8192}, 0, {0}, 2, 2 * 8390656.0, 4096});
    const Composition mean = mean_composition(load_mixture("text"), 4096, 2);
    CHECK(mean.tokens == c.tokens);
    CHECK(mean.pairs == c.pairs);
    CHECK(mean.mean_segment == c.mean_segment);
  }

  // Of Chameleon's stage 0.604167 text, and pairs' 0.3125 x 56 / (56 + 1024) and interleaved
  // 0.083333 x 272 / (272 + 1024): 0.637861 of 8,192 are 5,225.4, the images' 2,966.6.
  TEST_CASE("the mean composition shares a batch out as the mixture says") {
    const Composition c = mean_composition(load_mixture("chameleon"), 4096, 2);
    CHECK(c.tokens == std::vector<std::int64_t>{2967, 5225});
    CHECK(c.items == std::vector<std::int64_t>{3, 0});
  }

  TEST_CASE("a law's modalities are the kinds' and not the tokens'") {
    const std::map<std::string, double> seven = law_shares(load_mixture("seven-modalities"));
    std::vector<std::string> names;
    for (const auto& [name, share] : seven) {
      names.push_back(name);
      CHECK(share == doctest::Approx(1.0 / 7));
    }
    CHECK(names == std::vector<std::string>{"code", "image", "image-text", "molecules", "speech",
                                            "speech-text", "text"});
    const std::map<std::string, double> chameleon = law_shares(load_mixture("chameleon"));
    CHECK(chameleon.at("text") == 0.604167);
    CHECK(chameleon.at("image-text") == doctest::Approx(0.3125 + 0.083333));
    CHECK(law_shares(load_mixture("transfusion")).at("image-text") == 0.6);
  }

  // The ratios that are published: speech to Chameleon's data 1 to 6; text to patches 1 to 1.
  TEST_CASE("ready mixtures have the published ratios") {
    CHECK(law_shares(load_mixture("chameleon-speech")).at("speech") ==
          doctest::Approx(1.0 / 7).epsilon(1e-5));
    CHECK(mean_shares(load_mixture("transfusion"))[0] == doctest::Approx(0.5).epsilon(0.01));
    CHECK(mean_shares(load_mixture("speech-text"))[0] == 0.5);
  }

  TEST_CASE("tokens and padding fill every micro-batch") {
    CHECK(rc::check([] {
      const std::vector<std::string> names = mixture_names();
      Mixture m = load_mixture(names[*rc::gen::inRange<std::size_t>(0, names.size())]);
      m.pads = *rc::gen::arbitrary<bool>();
      m.mask_documents = *rc::gen::arbitrary<bool>();
      const auto sequence = *rc::gen::inRange<std::int64_t>(1, 9000);
      const auto sequences = *rc::gen::inRange<std::int64_t>(1, 5);
      const Composition c = draw(m, sequence, sequences, *rc::gen::arbitrary<std::uint64_t>(), 0,
                                 *rc::gen::inRange<std::int64_t>(0, 4096), 7);
      const auto sum = std::accumulate(c.tokens.begin(), c.tokens.end(), c.padding);
      RC_ASSERT(sum == sequence * sequences);
      const Composition mean = mean_composition(m, sequence, sequences);
      RC_ASSERT(std::accumulate(mean.tokens.begin(), mean.tokens.end(), mean.padding) ==
                sequence * sequences);
      if (!m.mask_documents && !m.pads) RC_ASSERT(c.pairs >= causal_pairs(sequence, sequences));
    }));
  }

  TEST_CASE("what is no mixture is refused with its path, rule and the nearest name") {
    CHECK(refusal(R"({"base": "chamelon"})") ==
          "/base: \"chamelon\" is no mixture: did you mean chameleon?\n");
    CHECK(refusal(R"({"kinds": [{"name": "a", "share": 0.5, "spans": [
              {"modality": "texts", "tokens": 5}]}]})") ==
          "/kinds/0/spans/0/modality: \"texts\" is no modality: did you mean text?\n"
          "/kinds: shares sum to 0.5, not to 1\n");
    CHECK(refusal(R"({"kinds": [{"name": "a", "share": 1, "spans": [
              {"modality": "text", "tokens": [9, 5]}, {"modality": "text"}]}]})") ==
          "/kinds/0/spans/0/tokens: expected [least, most] with least <= most\n"
          "/kinds/0/spans/1/tokens: missing, and so is items: how long is the span?\n");
    CHECK(refusal(R"({"kinds": [{"name": "a", "share": 0.999999, "spans": [
              {"modality": "text", "tokens": [5, 9], "spread": 1, "mask": "causl"},
              {"modality": "text", "items": 2},
              {"modality": "image", "items": 2000000}]}]})") ==
          "/kinds/0/spans/0/mask: expected one of causal, bidirectional, prefix; found \"causl\" "
          "(did you mean \"causal\"?)\n"
          "/kinds/0/spans/0/spread: given, but tokens is a range: it goes with a mean\n"
          "/kinds/0/spans/1/items: given, but text has no items, only tokens\n"
          "/kinds/0/spans/2/items: 2048000000 tokens: a span has at most 1073741824\n"
          "/kinds: shares sum to 0.999999, not to 1\n");
    CHECK(refusal(R"({"kinds": [{"name": "a", "share": 1, "spans": [
              {"modality": "speech", "items": 2, "item_tokens": 0.25}]}]})") ==
          "/kinds/0/spans: 0.5 tokens a document on the mean: expected at least 1\n");
  }

  TEST_CASE("a mixture is read back as it was written") {
    for (const std::string& name : mixture_names()) {
      const Mixture m = load_mixture(name);
      Problems problems;
      const Mixture back = read(mixture_json(m), problems);
      REQUIRE_MESSAGE(problems.empty(), problems.text("mixture"));
      CHECK(back == m);
    }
    Problems problems;
    Mixture m = image_share(0.3);
    m.kinds[0].spans[0].length = {500, 500, 500, 0.75};
    CHECK(read(mixture_json(m), problems) == m);
  }

  TEST_CASE("a mixture of text and images has the share of images that was asked") {
    for (const double share : {0.1, 0.5, 0.9}) {
      const std::vector<double> shares = mean_shares(image_share(share));
      CHECK(shares[0] == doctest::Approx(share));
    }
  }
}

}  // namespace forerun::models
