#include "models/mixture/packer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <string>

namespace forerun::models {
namespace {

Mixture read(const std::string& text) {
  Problems problems;
  const JsonDocument document = JsonDocument::parse(text, problems);
  Reader root = document.root(problems);
  Mixture m = read_mixture(root);
  REQUIRE_MESSAGE(problems.empty(), problems.text("mixture"));
  return m;
}

/// Documents of 3 tokens of text and an image of 5 patches, or with `mask` another span of those.
Mixture pair(const std::string& mask, const std::string& more) {
  return read(
      R"({"kinds": [{"name": "pair", "share": 1, "spans": [{"modality": "text", "tokens": 3},
      {"modality": "image-patches", "items": 1, "item_tokens": 5, "mask": ")" +
      mask + R"("}]}])" + more + "}");
}

struct Token {
  std::int64_t document, place;  ///< in the document
};

/// What `count` tokens of the stream of such pairs from `offset` on are, every query asked about
/// every key.
Composition enumerated(std::int64_t offset, std::int64_t count, SpanMask mask, bool masked) {
  Composition c;
  c.tokens = {0, 0};
  c.items = {0, 0};
  std::vector<Token> tokens;
  for (std::int64_t i = 0; i < count; ++i) {
    tokens.push_back({(offset + i) / 8, (offset + i) % 8});
  }
  std::map<std::int64_t, double> of_document;
  for (const Token& q : tokens) {
    ++c.tokens[q.place < 3 ? 1 : 0];
    if (q.place == 3) ++c.items[0];
    of_document[masked ? q.document : 0] += 1;
    for (const Token& k : tokens) {
      const bool same = q.document == k.document;
      const bool before = k.document < q.document || (same && k.place <= q.place);
      const bool image = q.place >= 3 && k.place >= 3 && mask == SpanMask::bidirectional;
      if ((before && (same || !masked)) || (same && (image || mask == SpanMask::prefix))) {
        c.pairs += 1;
      }
    }
  }
  c.documents = tokens.back().document - tokens.front().document + 1;
  for (const auto& [document, n] : of_document) {
    c.mean_segment += n * n / static_cast<double>(count);
  }
  return c;
}

}  // namespace

TEST_SUITE("models/mixture/packer") {
  // A sequence of 12 begins at any of a document's 8 places equally often: of 8,000 each has 1,000.
  // What it then holds is counted pair by pair; k of the places may hold alike, with a standard
  // deviation of sqrt(8000 x k/8 x (1 - k/8)), at most 45; within five of them.
  TEST_CASE("a packed sequence is a window of the stream, each as often as any other") {
    for (const SpanMask mask : {SpanMask::causal, SpanMask::bidirectional, SpanMask::prefix}) {
      for (const bool masked : {false, true}) {
        const Mixture m = pair(std::string(name_in(kSpanMasks, mask)),
                               masked ? R"(, "mask_documents": true)" : "");
        std::map<std::vector<double>, std::int64_t> expected, seen;
        const auto key = [](const Composition& c) {
          return std::vector<double>{
              static_cast<double>(c.tokens[0]), static_cast<double>(c.items[0]),
              static_cast<double>(c.documents), c.pairs, std::round(c.mean_segment * 12)};
        };
        for (std::int64_t offset = 0; offset < 8; ++offset) {
          expected[key(enumerated(offset, 12, mask, masked))] += 1000;
        }
        for (std::int64_t i = 0; i < 8000; ++i) ++seen[key(draw(m, 12, 1, 3, 0, i, 0))];
        CHECK(seen.size() == expected.size());
        for (const auto& [window, count] : expected) {
          CHECK(std::abs(static_cast<double>(seen[window] - count)) < 5 * 45);
        }
      }
    }
  }

  // 8 of 12 tokens: 36 pairs, and 5 x 4 / 2 in the image or 8 x 7 / 2 in the whole prefix.
  TEST_CASE("padding fills what one document leaves of a sequence") {
    const std::string pads = R"(, "pads": true)";
    const Composition c = draw(pair("bidirectional", pads), 12, 3, 1, 0, 0, 0);
    CHECK(c == Composition{{15, 9}, 12, {3, 0}, 3, 3 * (36 + 10), 8});
    CHECK(draw(pair("prefix", pads), 12, 1, 1, 0, 0, 0).pairs == 36 + 28);
    CHECK(draw(pair("causal", pads), 12, 1, 1, 0, 0, 0).pairs == 36);
    // Cut after 6: 21 pairs and 3 in the image's first three.
    CHECK(draw(pair("bidirectional", pads), 6, 1, 1, 0, 0, 0) ==
          Composition{{3, 3}, 0, {1, 0}, 1, 21 + 3, 6});
  }

  // Two images of 4 in one span, cut after 6: 21 pairs, and 6 of the first and 1 of the second's
  // two. As a prefix the images see one another too: 15.
  TEST_CASE("a bidirectional span's items do not see one another, a prefix's do") {
    const auto pairs = [](const std::string& mask) {
      const Mixture m = read(
          R"({"pads": true, "kinds": [{"name": "images", "share": 1, "spans": [
          {"modality": "image", "items": 2, "item_tokens": 4, "mask": ")" +
          mask + R"("}]}]})");
      return draw(m, 6, 1, 1, 0, 0, 0).pairs;
    };
    CHECK(pairs("bidirectional") == 21 + 6 + 1);
    CHECK(pairs("prefix") == 21 + 15);
  }

  // Each sequence's share is between 0 and 1, so of 4,000 the mean has a standard error of at most
  // 0.5 / sqrt(4000) = 0.008: within four. Text is a hundred times longer than the sequence, code a
  // tenth of it, so that a sequence that began with a document would have far too little text.
  TEST_CASE("shares hold however long documents are beside the sequence") {
    const Mixture m = read(R"({"kinds": [
      {"name": "text", "share": 0.5, "spans": [{"modality": "text", "tokens": [1, 20000]}]},
      {"name": "code", "share": 0.5, "spans": [{"modality": "code", "tokens": 10}]}]})");
    double code = 0;
    for (std::int64_t i = 0; i < 4000; ++i) {
      code += static_cast<double>(draw(m, 100, 1, 8, 0, i, 0).tokens[0]) / 100;
    }
    CHECK(std::abs(code / 4000 - 0.5) < 0.032);
  }

  // The logarithm's spread 0.8 makes a standard deviation of 300 sqrt(e^0.64 - 1) = 284: of 20,000
  // the mean has 2.0; within five. The median is 300 e^-0.32 = 217.8, below which half must be: 5 x
  // sqrt(20000 / 4) = 354 of them, and its neighbours' 1 in 500.
  TEST_CASE("a log-normal span has its mean and its median") {
    const Mixture m = read(R"({"pads": true, "kinds": [{"name": "text", "share": 1, "spans": [
      {"modality": "text", "tokens": 300, "spread": 0.8}]}]})");
    double sum = 0, below = 0;
    for (std::int64_t i = 0; i < 20000; ++i) {
      const std::int64_t n = draw(m, 1 << 20, 1, 8, 0, 0, i).tokens[0];
      sum += static_cast<double>(n);
      if (n < 218) below += 1;
    }
    CHECK(std::abs(sum / 20000 - 300) < 10);
    CHECK(std::abs(below - 10000) < 354 + 40);
  }

  // A second of speech is 17.3 tokens: 17 or 18, and items follow the tokens. 20,000 documents of
  // one second: a variance of 0.3 x 0.7, so 5 x sqrt(0.21 / 20000) = 0.017.
  TEST_CASE("an item of a broken number of tokens has it on the mean") {
    const Mixture m = read(R"({"pads": true, "kinds": [{"name": "speech", "share": 1, "spans": [
      {"modality": "speech", "items": 1, "item_tokens": 17.3}]}]})");
    double sum = 0;
    for (std::int64_t i = 0; i < 20000; ++i) {
      const Composition c = draw(m, 64, 1, 8, 0, 0, i);
      CHECK(c.items[0] == 1);
      CHECK((c.tokens[0] == 17 || c.tokens[0] == 18));
      sum += static_cast<double>(c.tokens[0]);
    }
    CHECK(std::abs(sum / 20000 - 17.3) < 0.017);
  }

  // By size 1, 2 and 3 come 1 : 2 : 3. A standard deviation of at most sqrt(60000 / 4) = 122; five.
  TEST_CASE("numbers drawn by size come in proportion to it") {
    Draws draws(Stream(4, "models/mixture/packer.test"), 0);
    std::map<std::int64_t, double> of, rounded;
    for (int i = 0; i < 60000; ++i) of[draws.between_by_size(1, 3)] += 1;
    for (std::int64_t n = 1; n <= 3; ++n) {
      CHECK(std::abs(of[n] - 10000 * static_cast<double>(n)) < 612);
    }
    // 1.25 is 1 three times of four and 2 once: by size 3 : 2.
    for (int i = 0; i < 60000; ++i) rounded[draws.rounded_by_size(1.25)] += 1;
    CHECK(std::abs(rounded[1] - 36000) < 612);
    CHECK(std::abs(rounded[2] - 24000) < 612);
  }
}

}  // namespace forerun::models
