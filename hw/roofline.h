#pragma once

/// Kernel time on an accelerator whose kernels nobody tabled: a roofline under what is known of it.
///
/// Known are the rate that its best products reach (of a benchmark such as mamf-finder, or assumed
/// from a relative), its memory bandwidth and the share of it that streaming sustains, the fixed
/// time of a small kernel and how many units share the tiles. How products fall short of the best
/// rate (tiles that are padded, waves that are not full, the start of each tile) is taken from the
/// accelerators that have tables: the constants below are fitted to five of them together (A100,
/// H100, H200, B200, GB200) by `fit_surfaces roofline`. They are the same equations
/// (hw/gemm_surface.h, hw/attention_surface.h) with fewer constants and no correction by measured
/// shapes, so that a roofline is a fit like any other and everything that prices a kernel prices
/// it.
///
/// How well: fitted to four of the five and asked for the fifth, with the best rate that its table
/// holds, the median error of bf16 products that no fit saw (m of 512 or more) is 4.5 % (H100) to
/// 9.5 % (A100), where a fit of its own gives 3 to 4. A rate that is assumed adds an error that
/// nobody knows. Where a last-level cache holds what memory cannot deliver (L40S: 96 MB over 864
/// GB/s) the median is 18 %, too slow, and a relative's surface serves better.
///
/// Not modelled: what is particular to a machine: instruction shapes, systolic arrays' padding,
/// caches, compilers that fuse.

#include <cstdint>
#include <string_view>

#include "core/quantity.h"
#include "hw/accelerator.h"
#include "hw/attention_surface.h"
#include "hw/gemm_surface.h"

namespace forerun::hw {

/// What all machines are taken to share. A tile's efficiency is its share of the rate reached.
struct GemmRooflineShape {
  double square = 1;        ///< share of tiles of 128 x 128 (those of 256 x 128 have 1)
  double narrow = 1;        ///< share of tiles of 128 x 64
  double least = 1;         ///< share of tiles of 64 x 64
  double ramp = 0;          ///< of a tile, in elements of k
  double quantisation = 1;  ///< 1: whole waves; 0: work spread evenly
  double memory = 1;        ///< of the streaming bandwidth
  Seconds split_cost{};     ///< of adding up pieces of k
};
[[nodiscard]] GemmRooflineShape fitted_gemm_shape();

/// Of products that reach at most `reached` of the dense `peak`. Takes of the accelerator its
/// streaming efficiency and the fixed time of a small kernel.
[[nodiscard]] GemmFit gemm_roofline(FlopRate peak, FlopRate reached, const Accelerator&,
                                    const GemmRooflineShape& shape = fitted_gemm_shape());

/// Of fused attention that reaches `reached` forward, unmasked, at head size 128; other head sizes,
/// the causal mask and the backward pass by the ratios that the accelerators with tables and charts
/// show. None exceeds the peak.
[[nodiscard]] AttentionFit attention_roofline(FlopRate peak, FlopRate reached);

/// What an accelerator's products in a format rest on.
enum class SurfaceBasis : std::uint8_t {
  tables,    ///< a fit to its own measured kernels
  relative,  ///< the fit of another accelerator or format, at a stated rate
  roofline,  ///< no table at all
};
[[nodiscard]] SurfaceBasis basis(const GemmSurface&);
[[nodiscard]] std::string_view name(SurfaceBasis);  ///< "measured", "from a relative", "modelled"

}  // namespace forerun::hw
