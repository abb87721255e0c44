#pragma once

/// The critical path: the chain of operations and host work that sets the end of the step, from the
/// start to the end without a gap. Shortening what is not on it changes nothing; shortening what is
/// helps until another chain takes over (how far is not told).

#include <cstdint>
#include <vector>

#include "sim/attribution.h"
#include "sim/causality.h"

namespace forerun::sim {

/// One link: an operation that ran, what taxes added included, or the host issuing.
struct CriticalLink {
  std::int64_t begin = 0, end = 0;
  Category category = Category::compute;
  Place place;  ///< the operation; of the host, the one it was issuing
};

/// Time on the path of one label (host work by the label that it was issuing).
struct CriticalLabel {
  std::int32_t label = 0;
  Category category = Category::compute;
  std::int64_t ticks = 0;
  std::int64_t links = 0;
};

struct CriticalPath {
  std::vector<CriticalLink> links;    ///< in order of time; they partition [0, end)
  CategoryTicks ticks{};              ///< by category; sums to the end
  std::vector<CriticalLabel> labels;  ///< longest first
};

[[nodiscard]] CriticalPath critical_path(const Causality&);

/// Transfers of one label that left a compute stream idle, or ran on it.
struct ExposedTransfer {
  std::int32_t label = 0;
  Category category = Category::tensor_exchange;
  std::int64_t count = 0;    ///< instances with exposed time
  std::int64_t exposed = 0;  ///< ticks that the compute stream was idle for them
  /// Of `exposed`, what no bandwidth hides: the transfer, or one queued before it on its stream,
  /// became ready only when the compute stream had nothing left to do.
  std::int64_t never_hidden = 0;
  /// By how much faster the transfers must be for the rest to be hidden: the largest over instances
  /// of (time queued from the i-th before) / (idle begins - i-th was ready). Latency is taken to
  /// shrink with bandwidth. 1 when there is no rest.
  double bandwidth_factor = 1.0;
};

/// The exposed transfers of a rank, most exposed first.
[[nodiscard]] std::vector<ExposedTransfer> exposed_transfers(const Causality&, std::int32_t rank);

}  // namespace forerun::sim
