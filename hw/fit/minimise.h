#pragma once

/// Least loss by coordinate search: a step along each coordinate in turn, kept if it helps, longer
/// after a success and shorter after a failure. No derivatives, no chance, and so the same answer
/// every time; meant for tens of parameters and losses with kinks (medians, waves, maxima).

#include <functional>
#include <vector>

namespace forerun::hw {

using Loss = std::function<double(const std::vector<double>&)>;

/// A coordinate with step 0 stays where it starts.
[[nodiscard]] std::vector<double> minimise(std::vector<double> start, std::vector<double> steps,
                                           const Loss& loss, int rounds);

/// |e|, growing five times slower beyond `far`: fits follow the bulk and not the outliers.
[[nodiscard]] double robust(double e, double far);

}  // namespace forerun::hw
