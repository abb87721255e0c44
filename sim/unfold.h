#pragma once

/// The same step with every accelerator simulated: what folding leaves out, written out. Each
/// pipeline rank becomes tensor x context x data ranks that run its operations; exchanges inside a
/// layer become a rendezvous of the tensor (and context) peers, gradient and parameter exchanges a
/// rendezvous of the data-parallel peers; messages go between ranks of equal coordinates.
///
/// For tests (folded and unfolded agree to the tick) and for machines whose ranks differ.

#include "sim/program.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// `folded` must come from compile_step with Detail::kernels. Ranks are in the order of
/// sim/layout.h: tensor fastest, then context, data, pipeline.
[[nodiscard]] Program unfold(const Scenario&, const Program& folded);

}  // namespace forerun::sim
