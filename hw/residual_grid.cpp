#include "hw/residual_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "core/error.h"

namespace forerun::hw {

namespace {

/// Left knot and weight of the right one; outside, the boundary knot alone.
struct Place {
  std::size_t left = 0;
  double weight = 0;
};

Place place(const std::vector<double>& knots, double x) {
  if (x <= knots.front()) return {0, 0};
  if (x >= knots.back()) return {knots.size() - 2, 1};
  const auto right = std::upper_bound(knots.begin(), knots.end(), x);
  const auto left = static_cast<std::size_t>(right - knots.begin()) - 1;
  return {left, (x - knots[left]) / (knots[left + 1] - knots[left])};
}

bool ascends(const std::vector<double>& knots) {
  return knots.size() >= 2 && std::ranges::is_sorted(knots, std::less_equal{});
}

}  // namespace

ResidualGrid::ResidualGrid(std::array<std::vector<double>, 3> knots, std::vector<double> values)
    : knots_(std::move(knots)), values_(std::move(values)) {
  for (const std::vector<double>& k : knots_) {
    FORERUN_ASSERT(ascends(k), fmt::format("{} knots", k.size()));
  }
  FORERUN_ASSERT(values_.size() == knots_[0].size() * knots_[1].size() * knots_[2].size(),
                 fmt::format("{} values", values_.size()));
}

double ResidualGrid::at(double x, double y, double z) const {
  if (values_.empty()) return 0;
  const Place px = place(knots_[0], x), py = place(knots_[1], y), pz = place(knots_[2], z);
  const std::size_t ny = knots_[1].size(), nz = knots_[2].size();
  const auto line = [&](std::size_t i, std::size_t j) {
    const double* v = &values_[(i * ny + j) * nz + pz.left];
    return v[0] + pz.weight * (v[1] - v[0]);
  };
  const auto plane = [&](std::size_t i) {
    const double low = line(i, py.left);
    return low + py.weight * (line(i, py.left + 1) - low);
  };
  const double low = plane(px.left);
  return low + px.weight * (plane(px.left + 1) - low);
}

ResidualGrid::Corners ResidualGrid::corners(double x, double y, double z) const {
  FORERUN_ASSERT(!values_.empty(), "an empty grid has no corners");
  const Place px = place(knots_[0], x), py = place(knots_[1], y), pz = place(knots_[2], z);
  const std::size_t ny = knots_[1].size(), nz = knots_[2].size();
  Corners c{};
  for (std::size_t i = 0; i < 8; ++i) {
    const std::size_t dx = i >> 2, dy = (i >> 1) & 1, dz = i & 1;
    c.index[i] = ((px.left + dx) * ny + py.left + dy) * nz + pz.left + dz;
    c.weight[i] = (dx == 1 ? px.weight : 1 - px.weight) * (dy == 1 ? py.weight : 1 - py.weight) *
                  (dz == 1 ? pz.weight : 1 - pz.weight);
  }
  return c;
}

ResidualGrid read_residual_grid(Reader reader, const std::array<const char*, 3>& axes) {
  std::array<std::vector<double>, 3> knots;
  std::size_t expected = 1;
  for (std::size_t i = 0; i < 3; ++i) {
    knots[i] = reader.numbers(axes[i], -10, 40);
    expected *= knots[i].size();
  }
  std::vector<double> values;
  for (const std::int64_t v : reader.integers("thousandths", -9999, 9999)) {
    values.push_back(static_cast<double>(v) / 1000);
  }
  bool good = true;
  if (values.size() != expected) {
    reader.problem("thousandths", fmt::format("expected {} values, one for each knot, found {}",
                                              expected, values.size()));
    good = false;
  }
  for (std::size_t i = 0; i < 3 && expected > 0; ++i) {
    if (!ascends(knots[i])) {
      reader.problem(axes[i], "expected two or more strictly ascending knots");
      good = false;
    }
  }
  reader.finish();
  return good && expected > 0 ? ResidualGrid(std::move(knots), std::move(values)) : ResidualGrid();
}

}  // namespace forerun::hw
