#pragma once

/// A correction over three coordinates: trilinear between knots, the boundary's value outside them.
/// Values are logarithms of ratios of time.

#include <array>
#include <vector>

#include "core/reader.h"

namespace forerun::hw {

class ResidualGrid {
 public:
  ResidualGrid() = default;  ///< zero everywhere
  /// `values` at [x][y][z]; knots strictly ascending, two or more an axis.
  ResidualGrid(std::array<std::vector<double>, 3> knots, std::vector<double> values);

  [[nodiscard]] double at(double x, double y, double z) const;
  [[nodiscard]] bool empty() const { return values_.empty(); }

  /// The eight values around a point and their weights, for fitting: at() is their product's sum.
  struct Corners {
    std::array<std::size_t, 8> index;
    std::array<double, 8> weight;
  };
  [[nodiscard]] Corners corners(double x, double y, double z) const;
  [[nodiscard]] const std::array<std::vector<double>, 3>& knots() const { return knots_; }
  [[nodiscard]] const std::vector<double>& values() const { return values_; }

 private:
  std::array<std::vector<double>, 3> knots_;
  std::vector<double> values_;
};

/// {"<axis 0>": [...], "<axis 1>": [...], "<axis 2>": [...], "thousandths": [...]}; all may be
/// empty.
[[nodiscard]] ResidualGrid read_residual_grid(Reader reader,
                                              const std::array<const char*, 3>& axes);

}  // namespace forerun::hw
