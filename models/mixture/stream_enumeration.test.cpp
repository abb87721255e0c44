#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "models/mixture/composition.h"

namespace forerun::models {
namespace {

/// One kind of document with lengths that are fixed: only where a sequence begins is drawn.
Mixture one_kind(std::vector<SpanSpec> spans, std::int64_t repeats, bool masked) {
  Mixture m;
  m.modalities = {"image", "text"};
  m.mask_documents = masked;
  m.kinds = {{"only", "only", 1, std::move(spans), repeats, repeats, 0}};
  return m;
}

SpanSpec tokens(std::size_t index, std::int64_t count, SpanMask mask = SpanMask::causal) {
  return {"text", index == 0 ? "image" : "text", index, {count, count}, 0, mask};
}
SpanSpec items(std::int64_t count, std::int64_t each, SpanMask mask) {
  return {"image", "image", 0, {count, count}, static_cast<double>(each), mask};
}

/// A token of a stream: whose it is.
struct Token {
  std::int64_t document;
  std::size_t modality;
  std::int64_t item;      ///< of the stream, or -1
  bool first = false;     ///< of its item
  std::int64_t together;  ///< tokens with the same, not -1, see one another
  std::int64_t prefix;    ///< position in the document up to which all see one another
};

/// The stream of a mixture of one kind with fixed lengths, token by token.
std::vector<Token> stream(const DocumentKind& kind, std::int64_t length) {
  std::vector<Token> out;
  std::int64_t document = 0, group = 0;
  while (static_cast<std::int64_t>(out.size()) < length) {
    const std::size_t begin = out.size();
    std::int64_t prefix = 0;
    for (std::int64_t r = 0; r < kind.least_repeats; ++r) {
      for (const SpanSpec& span : kind.spans) {
        const std::int64_t count = span.item_tokens > 0 ? span.length.least : 1;
        for (std::int64_t i = 0; i < count; ++i) {
          const std::int64_t n = span.item_tokens > 0 ? static_cast<std::int64_t>(span.item_tokens)
                                                      : span.length.least;
          ++group;
          for (std::int64_t t = 0; t < n; ++t) {
            out.push_back({document, span.index, span.item_tokens > 0 ? group : -1, t == 0,
                           span.mask == SpanMask::bidirectional ? group : -1, 0});
          }
        }
        if (span.mask == SpanMask::prefix) prefix = static_cast<std::int64_t>(out.size() - begin);
      }
    }
    for (std::size_t t = begin; t < out.size(); ++t) out[t].prefix = prefix;
    ++document;
  }
  return out;
}

/// A sequence of tokens counted pair by pair, from the masks' definitions.
Composition counted(const std::vector<Token>& all, std::int64_t offset, std::int64_t sequence,
                    bool masked) {
  std::vector<std::int64_t> position;
  for (std::size_t t = 0; t < all.size(); ++t) {
    position.push_back(t > 0 && all[t].document == all[t - 1].document ? position.back() + 1 : 0);
  }
  Composition c;
  c.tokens.resize(2);
  c.items.resize(2);
  const auto begin = static_cast<std::size_t>(offset);
  const std::size_t end = begin + static_cast<std::size_t>(sequence);
  std::set<std::int64_t> documents;
  for (std::size_t q = begin; q < end; ++q) {
    documents.insert(all[q].document);
    ++c.tokens[all[q].modality];
    if (all[q].item >= 0 && all[q].first) ++c.items[all[q].modality];
    for (std::size_t k = begin; k < end; ++k) {
      const bool same = all[q].document == all[k].document;
      const bool before = k <= q && (same || !masked);
      const bool together = all[q].together >= 0 && all[q].together == all[k].together;
      const bool prefix = same && position[q] < all[q].prefix && position[k] < all[k].prefix;
      if (before || together || prefix) c.pairs += 1;
    }
  }
  c.documents = static_cast<std::int64_t>(documents.size());
  return c;
}

}  // namespace

TEST_SUITE("models/mixture/stream_enumeration") {
  TEST_CASE("what is drawn of a stream is what counting its tokens and pairs one by one gives") {
    CHECK(rc::check([] {
      std::vector<SpanSpec> spans;
      const auto count = *rc::gen::inRange(1, 4);
      for (int i = 0; i < count; ++i) {
        const auto mask =
            *rc::gen::element(SpanMask::causal, SpanMask::bidirectional, SpanMask::prefix);
        if (*rc::gen::arbitrary<bool>()) {
          spans.push_back(items(*rc::gen::inRange<std::int64_t>(1, 4),
                                *rc::gen::inRange<std::int64_t>(1, 6), mask));
        } else {
          spans.push_back(tokens(*rc::gen::inRange<std::size_t>(0, 2),
                                 *rc::gen::inRange<std::int64_t>(1, 6), mask));
        }
      }
      const bool masked = *rc::gen::arbitrary<bool>();
      const Mixture m = one_kind(spans, *rc::gen::inRange<std::int64_t>(1, 3), masked);
      const auto sequence = *rc::gen::inRange<std::int64_t>(1, 30);
      const Composition drawn =
          draw(m, sequence, 1, 7, 0, *rc::gen::inRange<std::int64_t>(0, 1000), 0);
      // It began at one of the document's tokens.
      const std::int64_t length = static_cast<std::int64_t>(m.kinds[0].mean_tokens());
      const std::vector<Token> all = stream(m.kinds[0], length + sequence);
      bool found = false;
      for (std::int64_t offset = 0; offset < length && !found; ++offset) {
        const Composition c = counted(all, offset, sequence, masked);
        found = drawn.tokens == c.tokens && drawn.items == c.items && drawn.pairs == c.pairs &&
                drawn.documents == c.documents && drawn.padding == 0;
      }
      RC_ASSERT(found);
    }));
  }
}

}  // namespace forerun::models
