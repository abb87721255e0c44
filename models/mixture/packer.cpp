#include "models/mixture/packer.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace forerun::models {
namespace {

// Beyond any batch; keeps products of two lengths within 64 bits.
constexpr std::int64_t kMostTokens = 1 << 30;

double pairs_of(std::int64_t tokens) {
  const auto n = static_cast<double>(tokens);
  return n * (n + 1) / 2;
}
double pairs_above(std::int64_t tokens) { return pairs_of(tokens) - static_cast<double>(tokens); }

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Item i of n in T tokens begins at floor(i T / n): so many begin before token `at`.
std::int64_t items_before(std::int64_t at, std::int64_t items, std::int64_t tokens) {
  return ceil_divide(at * items, tokens);
}

/// Pairs above the diagonal of the items that tokens [from, to) of a span belong to.
double pairs_in_items(std::int64_t from, std::int64_t to, std::int64_t items, std::int64_t tokens) {
  if (items == 0) return pairs_above(to - from);
  if (items >= tokens) return 0;
  double pairs = 0;
  for (std::int64_t item = items_before(from + 1, items, tokens) - 1; from < to; ++item) {
    const std::int64_t end = std::min(to, (item + 1) * tokens / items);
    pairs += pairs_above(end - from);
    from = end;
  }
  return pairs;
}

/// A log-normal value whose logarithm's mean is moved by `moved` variances: by 1, values are drawn
/// in proportion to their size.
double log_normal(const Length& l, double moved, Draws& draws) {
  const double variance = l.spread * l.spread;
  const double x =
      l.log_normal_mean * std::exp((moved - 0.5) * variance + l.spread * draws.normal());
  return std::min(x, static_cast<double>(kMostTokens));
}

double times_items(std::int64_t n, const SpanSpec& s) {
  return std::min(static_cast<double>(n) * s.item_tokens, static_cast<double>(kMostTokens));
}

}  // namespace

std::int64_t Draws::between_by_size(std::int64_t least, std::int64_t most) {
  if (least == most) return least;
  for (;;) {  // accepts at least half
    const std::int64_t n = between(least, most);
    if (below(most) < n) return n;
  }
}

std::int64_t Draws::rounded(double x) {
  const double whole = std::floor(x);
  const bool up = x > whole && uniform() < x - whole;
  return static_cast<std::int64_t>(whole) + (up ? 1 : 0);
}

// n is whole or whole + 1, with probabilities 1 - f and f, whose sizes' mean is x.
std::int64_t Draws::rounded_by_size(double x) {
  const double whole = std::floor(x);
  const bool up = x > whole && uniform() * x < (x - whole) * (whole + 1);
  return static_cast<std::int64_t>(whole) + (up ? 1 : 0);
}

Packer::Packer(const Mixture& m, std::int64_t sequence, Draws draws)
    : mixture_(m), sequence_(sequence), draws_(draws) {
  // Documents are drawn so that tokens, not documents, have the kinds' shares.
  double documents = 0, tokens = 0;
  for (const DocumentKind& kind : m.kinds) {
    documents_upto_.push_back(documents += kind.share / kind.mean_tokens());
    tokens_upto_.push_back(tokens += kind.share);
  }
  out_.tokens.resize(m.modalities.size());
  out_.items.resize(m.modalities.size());
}

Composition Packer::take() {
  double tokens = 0;
  for (const std::int64_t n : out_.tokens) tokens += static_cast<double>(n);
  if (tokens > 0) out_.mean_segment = squares_ / tokens;
  return std::move(out_);
}

void Packer::sequence() {
  left_ = sequence_;
  if (mixture_.pads) {
    document();
  } else {
    cut_document();
    while (left_ > 0) document();
  }
  out_.padding += left_;
  if (!mixture_.mask_documents) close_segment(sequence_ - left_);
}

std::size_t Packer::pick(const std::vector<double>& upto) {
  if (upto.size() == 1) return 0;
  const double u = draws_.uniform() * upto.back();
  std::size_t i = 0;
  while (i + 1 < upto.size() && u > upto[i]) ++i;
  return i;
}

Packer::Extent Packer::extent(const SpanSpec& s) {
  const Length& l = s.length;
  const std::int64_t n =
      l.spread > 0 ? draws_.rounded(log_normal(l, 0, draws_)) : draws_.between(l.least, l.most);
  if (s.item_tokens == 0) return {n, 0};
  return {draws_.rounded(times_items(n, s)), n};
}

Packer::Extent Packer::extent_by_size(const SpanSpec& s) {
  const Length& l = s.length;
  const std::int64_t n = l.spread > 0 ? draws_.rounded_by_size(log_normal(l, 1, draws_))
                                      : draws_.between_by_size(l.least, l.most);
  if (s.item_tokens == 0) return {n, 0};
  return {draws_.rounded_by_size(times_items(n, s)), n};
}

// Any token of the stream: its kind has the kind's share. A document's length is a sum, so drawing
// documents by size is drawing one part of the sum by size, a part as often as it is long on the
// mean, and the others as usual. The token is in that part, anywhere; what is before it is gone.
void Packer::cut_document() {
  const DocumentKind& kind = mixture_.kinds[pick(tokens_upto_)];
  const std::int64_t repeats = draws_.between_by_size(kind.least_repeats, kind.most_repeats);
  const auto repeat = static_cast<std::size_t>(draws_.between(0, repeats - 1));
  std::vector<double> upto;
  double sum = 0;
  for (const SpanSpec& s : kind.spans) upto.push_back(sum += s.mean_tokens());
  const std::size_t part = pick(upto);
  const bool reversed = kind.reversed > 0 && draws_.uniform() < kind.reversed;
  const Extent e = extent_by_size(kind.spans[part]);
  add(kind.spans[part], e, draws_.below(e.tokens));
  const std::size_t place = reversed ? kind.spans.size() - 1 - part : part;
  spans(kind, repeats, reversed, repeat * kind.spans.size() + place + 1);
  close_document();
}

void Packer::document() {
  const DocumentKind& kind = mixture_.kinds[pick(documents_upto_)];
  const std::int64_t repeats = draws_.between(kind.least_repeats, kind.most_repeats);
  const bool reversed = kind.reversed > 0 && draws_.uniform() < kind.reversed;
  spans(kind, repeats, reversed, 0);
  close_document();
}

void Packer::spans(const DocumentKind& kind, std::int64_t repeats, bool reversed, std::size_t nth) {
  const std::size_t size = kind.spans.size();
  const std::size_t end = static_cast<std::size_t>(repeats) * size;
  const auto span = [&](std::size_t n) -> const SpanSpec& {
    return kind.spans[reversed ? size - 1 - n % size : n % size];
  };
  for (; nth < end && left_ > 0; ++nth) add(span(nth), extent(span(nth)), 0);
  // A prefix that ends beyond the sequence reaches to the sequence's end.
  for (const std::size_t last = std::min(end, nth + size); nth < last; ++nth) {
    if (span(nth).mask == SpanMask::prefix) forward_ = pairs_above(of_document_);
  }
}

void Packer::add(const SpanSpec& s, Extent e, std::int64_t from) {
  const std::int64_t n = std::min(e.tokens - from, left_);
  if (n == 0) return;
  left_ -= n;
  of_document_ += n;
  out_.tokens[s.index] += n;
  if (e.items > 0) {
    out_.items[s.index] +=
        items_before(from + n, e.items, e.tokens) - items_before(from, e.items, e.tokens);
  }
  if (s.mask == SpanMask::bidirectional) {
    forward_ += pairs_in_items(from, from + n, e.items, e.tokens);
  } else if (s.mask == SpanMask::prefix) {
    forward_ = pairs_above(of_document_);  // those of the spans before are among them
  }
}

void Packer::close_document() {
  if (of_document_ > 0) ++out_.documents;
  out_.pairs += forward_;
  if (mixture_.mask_documents) close_segment(of_document_);
  of_document_ = 0;
  forward_ = 0;
}

void Packer::close_segment(std::int64_t tokens) {
  out_.pairs += pairs_of(tokens);
  squares_ += static_cast<double>(tokens) * static_cast<double>(tokens);
}

}  // namespace forerun::models
