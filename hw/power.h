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
/// Chips differ in how much they draw for the same work, and under the cap the hungriest has the
/// lowest clock: a synchronous job goes at its pace. Below the cap all chips hold the burst clock.
///
/// Not modelled: temperature, power spikes shorter than the window, energy of the links.

#include <cstdint>

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
/// The power model of the hungriest of n chips. `chip_spread` is the standard deviation of chips'
/// speeds under the cap; speed there goes with the cube root of the power left for an operation,
/// so an operation's energy is taken as spread three times as much:
///   per_flop (1 + 3 chip_spread E[max of n normal variates]).
[[nodiscard]] PowerModel hungriest(const PowerModel&, double chip_spread, std::int64_t n);
/// Expected maximum of n normal variates: Blom's approximation of the largest order statistic,
/// Phi^-1((n - 0.375) / (n + 0.25)), with Phi^-1 by Abramowitz and Stegun 26.2.23; 0 for n = 1 and
/// within 5 % from n = 2 on.
[[nodiscard]] double expected_maximum(std::int64_t n);
/// Mean board power over the window at that clock.
[[nodiscard]] Watts mean_power(const PowerModel&, const PowerWindow&, double clock);

/// Energy of one operation relative to a 16-bit one: 1, half for 8 bit, a quarter for 4 bit, twice
/// for tf32, four times for fp32. Assumed: proportional to the width of the operands.
[[nodiscard]] double energy_weight(Precision);
/// Of a kernel's operations: that of its products' precision, 1 for others.
[[nodiscard]] double energy_weight(const Kernel&);

}  // namespace forerun::hw
