#pragma once

/// Tokens of each weight set gathered from the sequence before its products, and put back after
/// them. With boolean masks the host waits for each set's indices (`nonzero`) before it can issue
/// the gather. A scatter writes into a tensor that was zeroed. Private to models/.

#include <string>
#include <string_view>
#include <vector>

#include "models/layer.h"

namespace forerun::models {

/// Values of `width` a token.
void gather_by_modality(const Layer&, std::string_view name, const std::vector<WeightSet>&,
                        double width);
void scatter_by_modality(const Layer&, std::string_view name, const std::vector<WeightSet>&,
                         double width);
/// First modality of each set, for people.
[[nodiscard]] std::vector<std::string> names_of(const std::vector<WeightSet>&);

}  // namespace forerun::models
