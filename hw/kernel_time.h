#pragma once

/// How long a kernel runs on an accelerator, alone, at a given clock, without launch cost.
///
/// GEMM: tile-and-wave roofline corrected by a fitted surface of utilisation (roofline time /
/// measured time) over log m, log n, log k; outside the measured range the boundary's utilisation
/// holds. A shape's three sizes matter, not which operand is transposed (backward products use the
/// same surface; `modelled` beyond that is the accelerator file's business). Attention: utilisation
/// interpolated over log length, heads x batch and head size; backward from published ratios of
/// backward to forward utilisation. MemoryBound: bytes over the sustained fraction of memory
/// bandwidth, of a copy where the pass is as plain as one, plus a fixed ramp. See the .cpp for
/// equations and the accelerator file for constants.
///
/// A product that adds into a 32-bit C (fused accumulation of weight gradients) reads and writes 8
/// bytes an element in place of writing 2; a share of those 6 bytes, the accelerator's
/// `accumulation_exposed`, is not hidden by the product: its time is
///   product + accumulation_exposed x 6 m n batch / (memory_efficiency x memory bandwidth).
/// An 8-bit product that promotes its partial sums runs at `promotion_rate` of the rate of one that
/// does not (Hopper's tensor cores sum in fewer bits; Blackwell's need no promotion).
///
/// Rows of bf16 values that atomic operations add (Adding::atomics) take as long as their traffic,
/// or `atomic_add_bf16` a value where the accelerator has no instruction for it. A pass that one
/// block of threads makes a row takes no less than its `serial`.
///
/// Experts' products in one launch fill the cores as a batched product of their mean rows does.
///
/// A window computes whole tiles of keys: kWindowTile / 2 more keys a query than it attends to on
/// average at either edge. Documents' masks cost their share of the pairs at the utilisation of the
/// whole sequence.
///
/// Not modelled: L2 residency between kernels, tail effects of concurrent kernels.

#include "core/evidence.h"
#include "core/quantity.h"
#include "hw/accelerator.h"
#include "hw/kernel.h"

namespace forerun::hw {

struct KernelTime {
  Seconds time{};           ///< on the device, at the burst clock
  Seconds compute_bound{};  ///< the part of `time` that stretches as the clock falls (<= time)
  DurationEvidence evidence = DurationEvidence::modelled;
};

[[nodiscard]] KernelTime kernel_time(const Kernel&, const Accelerator&);

/// The kernel at the burst clock, where `t` is what a table of times holds. Such tables repeat each
/// kernel: one that ends before the power controller reacts runs at the burst clock, a long one
/// meets the cap of the board that was measured. Its clock in the table is taken as
///   1 - (1 - c) t / (t + reaction),   reaction = 1.2 ms,
/// c the clock that the cap leaves to the kernel alone (hw/power.h). The reaction time is fitted by
/// eye to the ratio of sustained to burst times of GB200's products (aiconfigurator): 1.22, 1.19,
/// 1.14, 1.10 and 1.02 for products of 0.06, 0.2, 0.6, 2 and 6.5 ms.
[[nodiscard]] KernelTime at_burst_clock(const KernelTime& t, const Kernel&, const PowerModel&);

/// The same kernel with the core clock at `clock` of the burst clock (0 < clock <= 1):
/// time - compute_bound + compute_bound / clock.
[[nodiscard]] constexpr Seconds at_clock(const KernelTime& k, double clock) {
  return k.time - k.compute_bound + k.compute_bound / clock;
}

}  // namespace forerun::hw
