#pragma once

/// Divides a model's layers over pipeline stages so that the slowest chunk's micro-batch takes as
/// little time as any division allows: stages on slower accelerators, and those that hold the
/// embedding, the head or the loss, get fewer layers.
///
/// Time of a chunk: a forward and a backward pass of one micro-batch of the mean composition at
/// balanced expert loads, exchanges inside layers included, at the clock that an equal division
/// leaves. With several virtual stages each chunk is weighed alone. Not weighed: memory (a division
/// that does not fit is said not to), messages, gradient exchange and optimiser.

#include <cstdint>
#include <vector>

#include "sim/scenario.h"

namespace forerun::sim {

/// Layers of each model chunk in the model's order, none where encoders have a chunk for
/// themselves; of several best divisions the one with fewest layers on the first chunks, whose
/// activations live longest. The scenario's own `layers_of_chunks` are not read.
[[nodiscard]] std::vector<std::int64_t> layers_by_time(const Scenario&);

}  // namespace forerun::sim
