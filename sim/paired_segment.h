#pragma once

/// A forward and a backward pass of one rank at the same time (DualPipe): kernels of the one run
/// beside exchanges of the other. Private to sim/.
///
/// Both lists are issued on one compute and one exchange stream. The backward pass goes first; each
/// goes on until its next kernel waits for an exchange, then the other has its turn. Taxes apply.
/// Not modelled: layers of the two that are out of step (each pair of layers ends when both do, so
/// that the forward layer's last exchange is hidden by what is left of the backward one only), a
/// division of the multiprocessors between the two that changes with the layer.

#include <map>
#include <utility>
#include <vector>

#include "sim/pass_units.h"
#include "sim/price.h"

namespace forerun::sim {

/// One list of both; the backward pass's operations are marked.
[[nodiscard]] Segment run_together(const Segment& forward, const Segment& backward);

/// Such segments by what they are made of, each made once.
class PairedSegments {
 public:
  const Segment& of(const Segment& forward, const Segment& backward);
  /// Alone, but marked as a backward pass's.
  const Segment& alone(const Segment& backward);

 private:
  std::map<std::pair<const Segment*, const Segment*>, Segment> known_;
};

/// Units of both passes: layer by layer together; the ends of the model, and the layers that one
/// pass has more, alone.
[[nodiscard]] std::vector<Unit> units_together(const std::vector<Unit>& forward,
                                               const std::vector<Unit>& backward,
                                               PairedSegments& known);

}  // namespace forerun::sim
