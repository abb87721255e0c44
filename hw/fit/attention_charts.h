#pragma once

/// Published rates of fused attention kernels (hw/fit/attention_charts.csv), in FLOP/s as their
/// authors count: half of the operations under a causal mask, 2.5 times the forward ones backward,
/// "both" for a forward and a backward together. Unless a row says otherwise, heads of one size
/// with hidden size 2048 and 16,384 tokens in all.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"
#include "core/quantity.h"
#include "hw/attention_surface.h"

namespace forerun::hw {

/// Fixed time of a fused kernel. Assumed: that of FlashAttention's small cases, launch excluded.
inline constexpr Seconds kKernelStart(6e-6);

struct ChartPoint {
  enum class Passes : std::uint8_t { forward, backward, both };
  std::string kernel;       ///< an AttentionKernel's name, or one that only lends a ratio
  std::string accelerator;  ///< a profile's name
  Passes passes = Passes::forward;
  std::int64_t head_dim = 0, length = 0, batch = 0, heads = 0;
  bool causal = false;
  FlopRate rate{};
};

[[nodiscard]] std::vector<ChartPoint> read_charts(std::string_view csv, Problems&);

/// The pass's constants that reproduce the points best. Points of "both" need `fit`'s forward pass.
/// Where a mask is missing among the points, `causal` is that of `like`.
[[nodiscard]] AttentionPassFit fit_charted(Pass pass, const std::vector<ChartPoint>& points,
                                           const AttentionFit& fit, const AttentionMachine& machine,
                                           double causal_like);

/// Median absolute relative error of the rates of `points`.
[[nodiscard]] double chart_error(const std::vector<ChartPoint>& points, const AttentionFit& fit,
                                 const AttentionMachine& machine);

}  // namespace forerun::hw
