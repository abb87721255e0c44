#pragma once

/// Quantities written so that reading gives them back to the last bit.

#include <cmath>
#include <initializer_list>
#include <limits>

namespace forerun {

/// The number that times `unit` is `base` to the last bit: their quotient or a neighbour of it, if
/// one of these is; else the quotient.
[[nodiscard]] inline double number_in_unit(double base, double unit) {
  const double quotient = base / unit;
  for (const double n : {quotient, std::nextafter(quotient, 0.0),
                         std::nextafter(quotient, std::numeric_limits<double>::infinity())}) {
    if (n * unit == base) return n;
  }
  return quotient;
}

}  // namespace forerun
