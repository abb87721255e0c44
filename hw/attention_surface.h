#pragma once

/// Time of a fused attention kernel on one accelerator: query tiles over multiprocessors, corrected
/// by a fitted surface.
///
///   keys     = keys seen by a query on average + half a tile of masked ones (causal) + ramp
///   tile     = 4 Tq d keys f / (efficiency(d) rate / multiprocessors), f = 1 forward, 2.5 backward
///   w        = batch heads ceil(queries / Tq) / multiprocessors
///   compute  = max(tile (w + quantisation (ceil(w) - w)), longest tile)
///   memory   = traffic / (memory efficiency of streaming kernels, bandwidth)
///   time     = (start + (compute^4 + memory^4)^(1/4)) exp(residual)
///
/// residual is over log2 keys, log2 (batch heads), log2 d, where the accelerator's tables time this
/// kernel, and zero elsewhere. Outside the measured lengths the boundary's residual holds.
/// Not modelled: windows, ragged batches, dropout inside the kernel.

#include <cstdint>
#include <map>
#include <vector>

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
  std::map<std::int64_t, double> efficiency;  ///< of the peak rate, by head size
  ResidualGrid residual;
};

struct AttentionFit {
  FlopRate peak{};
  std::map<Pass, AttentionPassFit> passes;
  double least_keys = 0, most_keys = 0;  ///< measured
  bool measured = false;                 ///< false: published charts or ratios only
};

struct AttentionMachine {
  FlopRate rate{};
  Bandwidth bandwidth{};  ///< sustained
  int multiprocessors = 0;
};

struct AttentionTime {
  Seconds time{};
  double compute_share = 0;
  bool inside = false;  ///< lengths and head sizes within those measured
};

class AttentionSurface {
 public:
  AttentionSurface(AttentionFit fit, const AttentionMachine& machine, bool own);
  [[nodiscard]] AttentionTime at(const Attention& attention) const;
  /// `extra`: traffic that tables time together with the kernel (writing a key/value cache).
  [[nodiscard]] AttentionTime at(const Attention& attention, Bytes extra) const;
  [[nodiscard]] const AttentionFit& fit() const { return fit_; }
  [[nodiscard]] bool own() const { return own_; }

 private:
  AttentionFit fit_;
  AttentionMachine machine_;
  bool own_;
};

[[nodiscard]] AttentionFit read_attention_fit(Reader reader);

}  // namespace forerun::hw
