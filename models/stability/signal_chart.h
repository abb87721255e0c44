#pragma once

/// Variance, or the gradient's norm, layer by layer, as an SVG picture that stands alone.

#include <cstdint>
#include <string>
#include <vector>

#include "models/stability/signal_propagation.h"

namespace forerun::stability {

struct SignalLine {
  std::string name;
  SignalPropagation signal;
};

enum class SignalQuantity : std::uint8_t { variance, gradient };

/// Depth along, the quantity up in a logarithmic scale, one colour a line. `gradient` is the norm
/// of matrices' gradients over that of the last layer. Asserts a line with a layer.
[[nodiscard]] std::string signal_svg(const std::string& title, SignalQuantity,
                                     const std::vector<SignalLine>&);

/// Pre-norm, post-norm and DeepScaleLM at 192 layers: the networks of the paper's figures.
[[nodiscard]] std::vector<SignalLine> published_networks();

}  // namespace forerun::stability
