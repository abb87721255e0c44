#pragma once

/// Which points a sweep looks at.
///
///   {"name": "plans", "kind": "grid", "axes": [...]}             every combination, the last axis
///                                                                fastest
///   {"kind": "list", "axes": [...]}                              the axes go step by step together
///   {"kind": "random", "points": 100, "axes": [...]}             each axis drawn for itself
///   {"kind": "latin_hypercube", "points": 100, "axes": [...]}    the same, but each axis has one
///                                                                point in each of its 100 parts
///
/// McKay, Beckman and Conover 1979, Technometrics 21, 239: a Latin hypercube cuts each axis into as
/// many equally likely parts as there are points and puts one into each, the axes matched at
/// random. Draws come from streams named after the design and the axis, so a new axis moves no
/// other.
///
/// Not modelled: designs that fill the space better than by chance (maximin, Sobol), adaptive ones.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/reader.h"
#include "sim/sweep/axis.h"

namespace forerun::sim {

enum class DesignKind : std::uint8_t { grid, list, random, latin_hypercube };
inline constexpr std::array kDesignKinds = {
    Choice<DesignKind>{"grid", DesignKind::grid}, Choice<DesignKind>{"list", DesignKind::list},
    Choice<DesignKind>{"random", DesignKind::random},
    Choice<DesignKind>{"latin_hypercube", DesignKind::latin_hypercube}};

inline constexpr std::int64_t kMostPoints = 1'000'000;

class Design {
 public:
  /// Asserts what read_design checks.
  Design(std::string name, DesignKind kind, std::vector<Axis> axes, std::int64_t points,
         std::uint64_t seed);
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] DesignKind kind() const { return kind_; }
  [[nodiscard]] const std::vector<Axis>& axes() const { return axes_; }
  [[nodiscard]] std::int64_t points() const { return points_; }
  /// What point `i` of the design sets, in the order of the axes.
  [[nodiscard]] std::vector<Setting> at(std::int64_t i) const;

 private:
  std::string name_;
  DesignKind kind_;
  std::vector<Axis> axes_;
  std::int64_t points_;
  std::uint64_t seed_;
  std::vector<std::vector<std::uint32_t>> parts_;  ///< of a Latin hypercube: by axis, then point
};

/// What a design's file says, before the sweep's seed is known.
struct DesignText {
  std::string name;
  DesignKind kind = DesignKind::grid;
  std::vector<Axis> axes;
  std::int64_t points = 0;
};
/// Reads a design and finishes the reader; `text` is of the whole file. A grid's and a list's
/// points are counted; more than kMostPoints are a problem.
[[nodiscard]] DesignText read_design(Reader&, const std::string& text);

}  // namespace forerun::sim
