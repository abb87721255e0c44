#include "models/mixture/composition.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/random.h"

namespace forerun::models {
namespace {

constexpr std::int64_t kMeanDraws = 256;

double pairs_of(std::int64_t tokens) {
  const auto n = static_cast<double>(tokens);
  return n * (n + 1) / 2;
}

class Drawer {
 public:
  Drawer(const Mixture& m, std::int64_t sequence, Stream stream, std::uint64_t first)
      : m_(m), sequence_(sequence), stream_(stream), next_(first) {
    // Documents are drawn so that tokens, not documents, have the kinds' shares.
    double sum = 0;
    for (const DocumentKind& kind : m.kinds) sum += kind.share / kind.mean_tokens();
    double upto = 0;
    for (const DocumentKind& kind : m.kinds) {
      upto += kind.share / kind.mean_tokens() / sum;
      upto_.push_back(upto);
    }
    out_.tokens.resize(m.modalities.size());
  }

  void sequence() {
    left_ = sequence_;
    // A packed sequence begins where the last one was cut, inside a document: so the stream's first
    // tokens, as many as a sequence has, are somebody else's.
    skip_ = m_.pads ? 0 : sequence_;
    do {
      document();
    } while (left_ > 0 && !m_.pads);
    out_.padding += left_;
    if (!m_.mask_documents) out_.pairs += pairs_of(sequence_ - left_);
  }
  [[nodiscard]] Composition take() { return std::move(out_); }

 private:
  std::int64_t between(std::int64_t least, std::int64_t most) {
    if (least == most) return least;
    return least + static_cast<std::int64_t>(
                       stream_.below(next_++, static_cast<std::uint64_t>(most - least + 1)));
  }

  void document() {
    const double u = stream_.uniform(next_++);
    std::size_t k = 0;
    while (k + 1 < upto_.size() && u > upto_[k]) ++k;
    const DocumentKind& kind = m_.kinds[k];
    const std::int64_t repeats = between(kind.least_repeats, kind.most_repeats);
    const bool reversed = kind.reversed > 0 && stream_.uniform(next_++) < kind.reversed;
    const std::int64_t before = left_;
    for (std::int64_t r = 0; r < repeats && left_ > 0; ++r) {
      for (std::size_t i = 0; i < kind.spans.size() && left_ > 0; ++i) {
        span(kind.spans[reversed ? kind.spans.size() - 1 - i : i]);
      }
    }
    if (left_ < before) ++out_.documents;
    if (m_.mask_documents) out_.pairs += pairs_of(before - left_);
  }

  void span(const SpanSpec& s) {
    const std::int64_t drawn = between(s.least, s.most);
    std::int64_t each = drawn, count = 1;
    if (s.item_tokens > 0) {
      each = std::max<std::int64_t>(1, std::llround(s.item_tokens));
      count = drawn;
      if (s.item_tokens < 1) {
        each = std::max<std::int64_t>(1, std::llround(s.item_tokens * static_cast<double>(drawn)));
        count = 1;
      }
    }
    for (std::int64_t i = 0; i < count && left_ > 0; ++i) {
      const std::int64_t passed = std::min(each, skip_);
      skip_ -= passed;
      const std::int64_t n = std::min(each - passed, left_);
      if (n == 0) continue;
      out_.tokens[s.index] += n;
      if (s.bidirectional) out_.pairs += pairs_of(n) - static_cast<double>(n);
      left_ -= n;
    }
  }

  const Mixture& m_;
  std::int64_t sequence_, left_ = 0, skip_ = 0;
  Stream stream_;
  std::uint64_t next_;
  std::vector<double> upto_;
  Composition out_;
};

}  // namespace

Composition draw(const Mixture& m, std::int64_t sequence, std::int64_t sequences,
                 std::uint64_t seed, std::int64_t step, std::int64_t replica,
                 std::int64_t micro_batch) {
  const std::uint64_t first = (static_cast<std::uint64_t>(step) << 52) +
                              (static_cast<std::uint64_t>(replica) << 36) +
                              (static_cast<std::uint64_t>(micro_batch) << 20);
  Drawer drawer(m, sequence, Stream(seed, "mixture"), first);
  for (std::int64_t i = 0; i < sequences; ++i) drawer.sequence();
  return drawer.take();
}

double causal_pairs(std::int64_t sequence, std::int64_t sequences) {
  return static_cast<double>(sequences) * pairs_of(sequence);
}

Composition mean_composition(const Mixture& m, std::int64_t sequence, std::int64_t sequences) {
  std::vector<double> tokens(m.modalities.size());
  double pairs = 0, padding = 0, documents = 0;
  for (std::int64_t i = 0; i < kMeanDraws; ++i) {
    const Composition c = draw(m, sequence, 1, 0, 0, i, 0);
    for (std::size_t k = 0; k < tokens.size(); ++k) tokens[k] += static_cast<double>(c.tokens[k]);
    pairs += c.pairs;
    padding += static_cast<double>(c.padding);
    documents += static_cast<double>(c.documents);
  }
  const double each = static_cast<double>(sequences) / static_cast<double>(kMeanDraws);
  Composition mean;
  mean.padding = std::llround(padding * each);
  mean.documents = std::llround(documents * each);
  mean.pairs = pairs * each;
  std::int64_t left = sequence * sequences - mean.padding;
  for (std::size_t k = 0; k < tokens.size(); ++k) {
    mean.tokens.push_back(k + 1 == tokens.size()
                              ? left
                              : std::min(left, std::int64_t{std::llround(tokens[k] * each)}));
    left -= mean.tokens.back();
  }
  return mean;
}

}  // namespace forerun::models
