#pragma once

/// The priced building blocks of a step: layers forward and backward, the ends of the model, casts.
/// Private to sim/.

#include <vector>

#include "sim/layout.h"
#include "sim/price.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// Of one kind of layer (Layout::kinds).
struct LayerParts {
  Segment forward;
  Segment backward;        ///< as the plan's recompute says
  Segment backward_plain;  ///< without recompute; empty unless only some layers have it
  Segment weight_casts;    ///< empty for 16 bit
  double parameters = 0;   ///< of one rank, but for routed experts
  double experts = 0;      ///< routed experts of one rank
};

struct Parts {
  std::vector<LayerParts> layers;  ///< by kind
  Segment embedding_forward, embedding_backward;
  Segment head_forward, head_backward;
  Segment head_input_gradient, head_weight_gradient;  ///< empty unless the latter is put off
  Segment cast_forward, cast_backward;                ///< of the logits
  Segment loss_forward, loss_backward;
  Segment multi_token_forward, multi_token_backward;  ///< before a module's layer
  PricedOperation send_logits,
      send_cast_logits;          ///< where head, cast and loss are on different stages
  PricedOperation send_forward;  ///< one stage's output to the next, or its gradient back
  PricedOperation
      gather_received;  ///< scatter-gather point-to-point: after arrival; 0 ticks if unused
};

[[nodiscard]] Parts price_parts(const Scenario&, const Layout&, Pricer&);

}  // namespace forerun::sim
