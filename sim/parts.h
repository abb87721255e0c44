#pragma once

/// The priced building blocks of a step: layers forward and backward, the ends of the model, casts.
/// Private to sim/.

#include <vector>

#include "sim/layout.h"
#include "sim/price.h"
#include "sim/scenario.h"
#include "sim/schedule.h"
#include "sim/variation.h"

namespace forerun::sim {

/// A backward pass; its two parts are empty unless the schedule splits it.
struct Backward {
  Segment whole, inputs, weights;
  [[nodiscard]] const Segment& of(PassKind k) const {
    return k == PassKind::input_gradient    ? inputs
           : k == PassKind::weight_gradient ? weights
                                            : whole;
  }
};

struct LayerPasses {
  Segment forward;
  Backward backward;        ///< as the plan's recompute says
  Backward backward_plain;  ///< without recompute; empty unless only some layers have it
};

/// Of one kind of layer (Layout::kinds).
struct LayerParts {
  std::vector<LayerPasses> by_level;  ///< of load (sim/variation.h); those that no layer has empty
  Segment weight_casts;               ///< empty for 16 bit
  double parameters = 0;              ///< of one rank, but for routed experts
  double experts = 0;                 ///< routed experts of one rank
};

/// Of one part of the encoders.
struct EncoderParts {
  Segment forward;
  Backward backward;
};

/// Messages from one stage to the next, and of their gradients back.
struct Sends {
  PricedOperation hidden;               ///< one stage's output
  PricedOperation logits, cast_logits;  ///< where head, cast and loss are on different stages
  std::vector<PricedOperation> items;   ///< of encoders, by part
};

/// Of one composition of micro-batches.
struct Parts {
  std::vector<LayerParts> layers;      ///< by kind
  std::vector<EncoderParts> encoders;  ///< by part; empty where there is no encoder
  Segment embedding_forward, adapters_forward, predictions_forward, head_forward;
  Backward embedding_backward;
  Backward adapters_backward;     ///< of continuous tokens, before the layers
  Backward predictions_backward;  ///< of continuous tokens, after the head
  Backward head_backward;
  Segment head_input_gradient, head_weight_gradient;  ///< empty unless the latter is put off
  Segment cast_forward, cast_backward;                ///< of the logits
  Segment loss_forward, loss_backward;
  Segment multi_token_forward;  ///< before a module's layer
  Backward multi_token_backward;
  Sends sends, sends_apart;  ///< between neighbours of one pool, and of two
  PricedOperation
      gather_received;  ///< scatter-gather point-to-point: after arrival; 0 ticks if unused
};

/// Of micro-batches like `slice`; `levels` of load that layers with experts have.
[[nodiscard]] Parts price_parts(const Scenario&, const Layout&, Pricer&, const models::Slice& slice,
                                const std::vector<bool>& levels);
/// Of each composition.
[[nodiscard]] std::vector<Parts> price_parts(const Scenario&, const Layout&, Pricer&,
                                             const Variation&);

}  // namespace forerun::sim
