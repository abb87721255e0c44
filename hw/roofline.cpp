#include "hw/roofline.h"

#include <algorithm>
#include <cstdint>

namespace forerun::hw {

namespace {

/// Of the rate at head size 128, by head size: means of what H100, H200, B200 and GB200 show.
constexpr double kHead64 = 0.66, kHead256 = 1.1;
/// Rate under a causal mask over that without one, masked tiles not counted: 0.93 to 0.97 there.
constexpr double kCausal = 0.95;
/// Backward rate over forward rate at head size 128: 0.82 (H100) to 0.88 (A100).
constexpr double kBackward = 0.85;
/// Prologue and epilogue of a tile in keys, forward and backward, of FlashAttention-2's kernels.
constexpr double kForwardRamp = 90, kBackwardRamp = 240;
constexpr double kQueryTile = 128, kQuantisation = 0.5;
constexpr Seconds kAttentionStart{6e-6};  ///< as every surface fitted to tables has it

AttentionPassFit pass(double rate, double ramp) {
  AttentionPassFit fit;
  fit.query_tile = kQueryTile;
  fit.ramp = ramp;
  fit.quantisation = kQuantisation;
  fit.causal = kCausal;
  fit.start = kAttentionStart;
  fit.efficiency = {{64, kHead64 * rate}, {128, rate}, {256, std::min(1.0, kHead256 * rate)}};
  return fit;
}

}  // namespace

GemmRooflineShape fitted_gemm_shape() {
  // fit_surfaces roofline, on the tables of A100, H100, H200, B200 and GB200
  return {.square = 0.956,
          .narrow = 0.956,
          .least = 0.689,
          .ramp = 174.6,
          .quantisation = 0.309,
          .memory = 0.880,
          .split_cost = Seconds(2.65e-6)};
}

GemmFit gemm_roofline(FlopRate peak, FlopRate reached, const Accelerator& a,
                      const GemmRooflineShape& shape) {
  const double most = reached / peak;
  GemmFit fit;
  fit.peak = peak;
  fit.tiles = {{256, 128, most},
               {128, 256, most},
               {128, 128, most * shape.square},
               {128, 64, most * shape.narrow},
               {64, 128, most * shape.narrow},
               {64, 64, most * shape.least}};
  fit.ramp = shape.ramp;
  fit.quantisation = shape.quantisation;
  fit.memory_efficiency = shape.memory * a.streaming_efficiency;
  fit.most_pieces = 1;
  fit.ceiling = most;
  fit.start = a.memory_ramp;
  fit.split_cost = shape.split_cost;
  return fit;
}

AttentionFit attention_roofline(FlopRate peak, FlopRate reached) {
  const double rate = reached / peak;
  AttentionFit fit;
  fit.peak = peak;
  fit.passes[Pass::forward] = pass(rate, kForwardRamp);
  fit.passes[Pass::backward] = pass(kBackward * rate, kBackwardRamp);
  return fit;
}

SurfaceBasis basis(const GemmSurface& surface) {
  if (surface.own()) return SurfaceBasis::tables;
  return surface.fit().k.most > 0 ? SurfaceBasis::relative : SurfaceBasis::roofline;
}

std::string_view name(SurfaceBasis b) {
  switch (b) {
    case SurfaceBasis::tables:
      return "measured";
    case SurfaceBasis::relative:
      return "from a relative";
    default:
      return "modelled";
  }
}

}  // namespace forerun::hw
