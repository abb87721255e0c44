#include "models/mixture/composition.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <numeric>
#include <string>

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

Mixture fixed(const std::string& more) {
  Problems problems;
  Mixture m = read(R"({"kinds": [{"name": "pair", "share": 1, "spans": [
      {"modality": "text", "tokens": 3}, {"modality": "image-patches", "items": 1, "item_tokens": 5}]}])" +
                       more + "}",
                   problems);
  REQUIRE_MESSAGE(problems.empty(), problems.text("mixture"));
  return m;
}

}  // namespace

TEST_SUITE("models/mixture") {
  TEST_CASE("every modality and every ready mixture can be read") {
    for (const std::string& name : modality_names()) CHECK(load_modality(name).name == name);
    for (const std::string& name : mixture_names()) CHECK(load_mixture(name).name == name);
    CHECK(load_modality("image").tokens_per_item == 1024);
    CHECK(load_modality("image-patches").mask == SpanMask::bidirectional);
  }

  // A stream of 3 tokens of text and 5 of an image, again and again; tokens 12 to 24 of it: 4 of
  // the second image, then a whole document. Pairs 12 x 13 / 2 = 78, and above the diagonal 4 x 3 /
  // 2 of what is left of one image and 5 x 4 / 2 of the other.
  TEST_CASE("a packed sequence counts its tokens and the pairs that see forward") {
    const Composition c = draw(fixed(""), 12, 1, 1, 0, 0, 0);
    CHECK(c.tokens == std::vector<std::int64_t>{4 + 5, 3});
    CHECK(c.padding == 0);
    CHECK(c.documents == 2);
    CHECK(c.pairs == 78 + 6 + 10);
  }

  // Masked: 4 tokens of a document and 8 of the next, 10 + 36 pairs, and the same 16.
  TEST_CASE("with masked documents tokens see their own document only") {
    CHECK(draw(fixed(R"(, "mask_documents": true)"), 12, 1, 1, 0, 0, 0).pairs == 10 + 36 + 16);
  }

  TEST_CASE("padding fills what one document leaves of a sequence") {
    const Composition c = draw(fixed(R"(, "pads": true)"), 12, 3, 1, 0, 0, 0);
    CHECK(c.padding == 3 * 4);
    CHECK(c.documents == 3);
    CHECK(c.pairs == 3 * (36 + 10));
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
  }

  TEST_CASE("tokens and padding fill every micro-batch") {
    rc::check([] {
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
    });
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
  }

  TEST_CASE("a mixture is read back as it was written") {
    const Mixture m = load_mixture("transfusion");
    Problems problems;
    const Mixture back = read(mixture_json(m), problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("mixture"));
    CHECK(back.modalities == m.modalities);
    CHECK(draw(back, 4096, 2, 3, 0, 1, 2) == draw(m, 4096, 2, 3, 0, 1, 2));
  }

  TEST_CASE("a mixture of text and images has the share of images that was asked") {
    for (const double share : {0.1, 0.5, 0.9}) {
      const std::vector<double> shares = mean_shares(image_share(share));
      CHECK(shares[0] == doctest::Approx(share));
    }
  }
}

}  // namespace forerun::models
