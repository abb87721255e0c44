#include "models/mixture/composition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <ranges>

#include "core/error.h"
#include "models/mixture/packer.h"

namespace forerun::models {
namespace {

constexpr std::int64_t kMeanDraws = 256;

/// Whole numbers with the sum `all`, in proportion to `weights`: rounded down, and what is left to
/// the largest remainders (the first of equal ones).
std::vector<std::int64_t> apportioned(const std::vector<double>& weights, std::int64_t all) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<std::int64_t> whole;
  std::vector<double> remainder;
  std::int64_t left = all;
  for (const double weight : weights) {
    const double exact = sum > 0 ? weight / sum * static_cast<double>(all) : 0;
    whole.push_back(std::min(left, static_cast<std::int64_t>(std::floor(exact))));
    remainder.push_back(exact - static_cast<double>(whole.back()));
    left -= whole.back();
  }
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](auto a, auto b) { return remainder[a] > remainder[b]; });
  for (std::size_t i = 0; left > 0; ++i, --left) ++whole[order[i % order.size()]];
  return whole;
}

/// Whether every sequence is one causal segment, whatever is drawn.
bool plain(const Mixture& m) {
  return !m.mask_documents && std::ranges::all_of(m.kinds, [](const DocumentKind& kind) {
    return std::ranges::all_of(kind.spans,
                               [](const SpanSpec& s) { return s.mask == SpanMask::causal; });
  });
}

/// Means of kMeanDraws sequences, times `sequences`.
struct Means {
  std::vector<double> tokens, items;
  double padding = 0, documents = 0, pairs = 0, squares = 0;
};
Means drawn_means(const Mixture& m, std::int64_t sequence, std::int64_t sequences) {
  Means mean;
  mean.tokens.resize(m.modalities.size());
  mean.items.resize(m.modalities.size());
  const double each = static_cast<double>(sequences) / static_cast<double>(kMeanDraws);
  for (std::int64_t i = 0; i < kMeanDraws; ++i) {
    const Composition c = draw(m, sequence, 1, 0, 0, 0, i);
    for (std::size_t k = 0; k < mean.tokens.size(); ++k) {
      mean.tokens[k] += each * static_cast<double>(c.tokens[k]);
      mean.items[k] += each * static_cast<double>(c.items[k]);
    }
    mean.padding += each * static_cast<double>(c.padding);
    mean.documents += each * static_cast<double>(c.documents);
    mean.pairs += each * c.pairs;
    mean.squares += each * c.mean_segment * static_cast<double>(sequence - c.padding);
  }
  return mean;
}

/// A token of an item's span begins one with probability items / tokens of the span on the mean; a
/// token other than a sequence's first begins a document with sum of share / mean length.
void expect_items_and_documents(const Mixture& m, std::int64_t sequence, std::int64_t sequences,
                                Means& mean) {
  const auto batch = static_cast<double>(sequence * sequences);
  double begins = 0;
  std::ranges::fill(mean.items, 0.0);
  for (const DocumentKind& kind : m.kinds) {
    begins += kind.share / kind.mean_tokens();
    double all = 0;
    for (const SpanSpec& s : kind.spans) all += s.mean_tokens();
    for (const SpanSpec& s : kind.spans) {
      if (s.item_tokens > 0) mean.items[s.index] += batch * kind.share * s.length.mean() / all;
    }
  }
  mean.documents =
      static_cast<double>(sequences) * (1 + static_cast<double>(sequence - 1) * begins);
}

Composition recorded_mean(const Recording& recording, std::int64_t batch) {
  const auto lines = static_cast<double>(recording.compositions.size());
  std::vector<double> tokens(recording.modalities.size()), items(tokens.size());
  double padding = 0, documents = 0, pairs = 0, segments = 0;
  for (const Composition& c : recording.compositions) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] += static_cast<double>(c.tokens[i]) / lines;
      items[i] += static_cast<double>(c.items[i]) / lines;
    }
    padding += static_cast<double>(c.padding) / lines;
    documents += static_cast<double>(c.documents) / lines;
    pairs += c.pairs / lines;
    segments += c.mean_segment * static_cast<double>(batch - c.padding) / lines;
  }
  Composition mean;
  mean.padding = std::llround(padding);
  mean.tokens = apportioned(tokens, batch - mean.padding);
  for (const double n : items) mean.items.push_back(std::llround(n));
  mean.documents = std::llround(documents);
  mean.pairs = pairs;
  mean.mean_segment = segments / std::max(static_cast<double>(batch) - padding, 1.0);
  return mean;
}

}  // namespace

Composition draw(const Mixture& m, std::int64_t sequence, std::int64_t sequences,
                 std::uint64_t seed, std::int64_t step, std::int64_t replica,
                 std::int64_t micro_batch) {
  FORERUN_ASSERT(!m.recording, "a draw from a recording");
  const std::uint64_t first =
      (static_cast<std::uint64_t>(step) << 40) + (static_cast<std::uint64_t>(micro_batch) << 24);
  Packer packer(m, sequence,
                Draws(Stream(seed, fmt::format("mixture/replica/{}", replica)), first));
  for (std::int64_t i = 0; i < sequences; ++i) packer.sequence();
  return packer.take();
}

double causal_pairs(std::int64_t sequence, std::int64_t sequences) {
  const auto n = static_cast<double>(sequence);
  return static_cast<double>(sequences) * (n * (n + 1) / 2);
}

Composition uniform_text(std::int64_t sequence, std::int64_t sequences) {
  return {.tokens = {sequence * sequences},
          .padding = 0,
          .items = {0},
          .documents = sequences,
          .pairs = causal_pairs(sequence, sequences),
          .mean_segment = static_cast<double>(sequence)};
}

Composition mean_composition(const Mixture& m, std::int64_t sequence, std::int64_t sequences) {
  if (m.recording) return recorded_mean(*m.recording, sequence * sequences);
  const bool drawn = m.pads || !plain(m);
  Means mean;
  if (drawn) mean = drawn_means(m, sequence, sequences);
  mean.items.resize(m.modalities.size());
  if (!m.pads) {
    mean.tokens = mean_shares(m);
    expect_items_and_documents(m, sequence, sequences, mean);
  }
  Composition c;
  c.padding = std::llround(mean.padding);
  c.tokens = apportioned(mean.tokens, sequence * sequences - c.padding);
  for (const double items : mean.items) c.items.push_back(std::llround(items));
  c.documents = std::llround(mean.documents);
  c.pairs = drawn ? mean.pairs : causal_pairs(sequence, sequences);
  const double tokens = static_cast<double>(sequence * sequences) - mean.padding;
  c.mean_segment = drawn ? mean.squares / tokens : static_cast<double>(sequence);
  return c;
}

}  // namespace forerun::models
