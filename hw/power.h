#pragma once

/// The clock that a power cap leaves.
///
/// Over a window in which kernels do `flops` operations and move `bytes`, spending `compute_bound`
/// seconds (at the burst clock) in what follows the clock and `other` seconds in what does not
/// (memory, communication, idleness), the energy at clock c (of the burst clock) is
///
///   E(c) = idle T(c) + flops per_flop c^2 + bytes per_byte,   T(c) = compute_bound / c + other
///
/// (dynamic energy of the cores goes with voltage squared, and voltage with clock; the memory keeps
/// its own clock) and the largest c in [least_clock, 1] with E(c) <= cap T(c) is the sustained
/// clock. Idle and communication time costs only idle power and its traffic, so it gives clock
/// back.
///
/// Not modelled: temperature, power spikes shorter than the window, energy of the links.

#include "core/quantity.h"
#include "hw/accelerator.h"

namespace forerun::hw {

/// What one accelerator does in a window, with times at the burst clock. Operations are weighted:
/// 8-bit ones cost less energy than 16-bit ones (see energy_weight).
struct PowerWindow {
  Flops flops{};
  Bytes bytes{};
  Seconds compute_bound{};
  Seconds other{};
};

/// Clock relative to the burst clock, in [least_clock, 1].
[[nodiscard]] double sustained_clock(const PowerModel&, const PowerWindow&);
/// Mean board power over the window at that clock.
[[nodiscard]] Watts mean_power(const PowerModel&, const PowerWindow&, double clock);

/// Energy of one operation relative to a 16-bit one: 1, half for 8 bit, a quarter for 4 bit, twice
/// for tf32, four times for fp32. Assumed: proportional to the width of the operands.
[[nodiscard]] double energy_weight(Precision);

}  // namespace forerun::hw
