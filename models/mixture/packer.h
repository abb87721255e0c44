#pragma once

/// Draws documents of a mixture and packs them into sequences, counting what composition.h says.

#include <cstdint>
#include <vector>

#include "core/random.h"
#include "models/mixture/composition.h"

namespace forerun::models {

/// Numbers of a stream, one after another.
class Draws {
 public:
  Draws(Stream stream, std::uint64_t first) : stream_(stream), next_(first) {}
  double uniform() { return stream_.uniform(next_++); }
  double normal() { return stream_.normal(next_++); }
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(stream_.below(next_++, static_cast<std::uint64_t>(bound)));
  }
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least == most ? least : least + below(most - least + 1);
  }
  /// From `least` to `most`, n with a probability proportional to n.
  std::int64_t between_by_size(std::int64_t least, std::int64_t most);
  /// A whole number next to x, with mean x.
  std::int64_t rounded(double x);
  /// A whole number next to x: n with a probability proportional to n times that of rounded().
  std::int64_t rounded_by_size(double x);

 private:
  Stream stream_;
  std::uint64_t next_;
};

class Packer {
 public:
  Packer(const Mixture&, std::int64_t sequence, Draws);
  /// Packs one more sequence.
  void sequence();
  [[nodiscard]] Composition take();

 private:
  struct Extent {
    std::int64_t tokens = 0, items = 0;  ///< no items: the span is one
  };
  [[nodiscard]] std::size_t pick(const std::vector<double>& upto);
  Extent extent(const SpanSpec&);
  Extent extent_by_size(const SpanSpec&);
  void cut_document();
  void document();
  /// The spans of a document from the nth on, all repetitions counted.
  void spans(const DocumentKind&, std::int64_t repeats, bool reversed, std::size_t nth);
  /// What fits of a span's tokens from `from` on.
  void add(const SpanSpec&, Extent, std::int64_t from);
  void close_document();
  void close_segment(std::int64_t tokens);

  const Mixture& mixture_;
  std::int64_t sequence_, left_ = 0;
  std::int64_t of_document_ = 0;  ///< tokens of the document in the sequence
  double forward_ = 0;            ///< pairs of the document above the diagonal
  Draws draws_;
  std::vector<double> documents_upto_, tokens_upto_;  ///< cumulative shares of kinds
  double squares_ = 0;                                ///< of segments' tokens
  Composition out_;
};

}  // namespace forerun::models
