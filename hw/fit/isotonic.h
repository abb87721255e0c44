#pragma once

/// The rising sequence nearest to a given one: more bytes are never faster, so a measured curve of
/// times over sizes may be rid of noise without a model.

#include <vector>

namespace forerun::hw {

/// Least squares under values[i] <= values[i + 1], by pooling neighbours that fall (Ayer et al.
/// 1955).
[[nodiscard]] std::vector<double> isotonic(const std::vector<double>& values);

}  // namespace forerun::hw
