#pragma once

/// Time of a fused attention kernel on one accelerator: query tiles over multiprocessors, corrected
/// by a fitted surface.
///
///   keys    = keys that a query sees on average + half a tile of masked ones (causal) + ramp
///   tile    = 4 Tq d keys f / (rate / multiprocessors),  f = 1 forward, 2.5 backward
///   rate    = efficiency(d) peak, times `causal` under a causal mask
///   w       = batch heads ceil(queries / Tq) / multiprocessors
///   compute = max(tile (w + quantisation (ceil(w) - w)), a tile that sees every key)
///   memory  = traffic / sustained bandwidth
///   time    = (start + (compute^4 + memory^4)^(1/4)) exp(residual)
///
/// residual is of the nearest head size known, over log2 keys, log2 (batch heads) and log2 (heads /
/// kv_heads), where a table of this accelerator timed this kernel; it is zero elsewhere (backward,
/// kernels known from published charts). Outside the measured range the boundary's residual holds.
/// Not modelled: sliding windows, ragged batches, dropout and biases inside the kernel.

#include <cstdint>
#include <map>

#include "core/quantity.h"
#include "core/reader.h"
#include "hw/kernel.h"
#include "hw/residual_grid.h"

namespace forerun::hw {

/// Constants of one pass of one kernel.
struct AttentionPassFit {
  double query_tile = 128;
  double ramp = 0;          ///< keys' worth of prologue and epilogue of a tile
  double quantisation = 1;  ///< 1: whole waves; 0: work spread evenly
  double causal = 1;        ///< rate under a causal mask relative to none, masked tiles not counted
  Seconds start{};
  std::map<std::int64_t, double> efficiency;      ///< of the peak rate, by head size
  std::map<std::int64_t, ResidualGrid> residual;  ///< by head size; may be empty
};

struct AttentionFit {
  FlopRate peak{};
  std::map<Pass, AttentionPassFit> passes;
  bool tabled =
      false;  ///< a table of the accelerator timed the forward pass; else charts or ratios
  double least_keys = 0, most_keys = 0;  ///< measured
  /// What tables spend beside the kernel in writing the key/value cache: a start, and seconds a
  /// token by log2(kv_heads head_dim).
  Seconds cache_start{};
  std::map<double, double> cache_write;
};

struct AttentionMachine {
  FlopRate rate{};        ///< fit.peak times the ratio of achieved rates
  Bandwidth bandwidth{};  ///< sustained
  int multiprocessors = 0;
};

struct AttentionTime {
  Seconds time{};
  double compute_share = 0;  ///< d log(time) / d log(compute): the part that follows the clock
  bool inside = false;       ///< lengths and head size within those measured
};

class AttentionSurface {
 public:
  /// `own`: fitted to this very accelerator.
  AttentionSurface(AttentionFit fit, const AttentionMachine& machine, bool own);
  [[nodiscard]] AttentionTime at(const Attention& attention) const;
  /// What a table's call spends beside the kernel; zero where there is no table.
  [[nodiscard]] Seconds cache_write(std::int64_t tokens, std::int64_t kv_heads,
                                    std::int64_t head_dim) const;
  [[nodiscard]] const AttentionFit& fit() const { return fit_; }
  [[nodiscard]] bool own() const { return own_; }

 private:
  AttentionFit fit_;
  AttentionMachine machine_;
  bool own_;
};

/// Reads one entry of a surface file.
[[nodiscard]] AttentionFit read_attention_fit(Reader reader);

}  // namespace forerun::hw
