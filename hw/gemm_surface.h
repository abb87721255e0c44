#pragma once

/// Time of a matrix product on one accelerator: a tile-and-wave roofline, corrected by a fitted
/// surface of utilisation.
///
///   blocks  = ceil(m / Tm) ceil(n / Tn) batch,  split = pieces of k where blocks leave cores idle,
///             or up to most_pieces where they fill few waves and that is faster
///   waves   = w + quantisation (ceil(w) - w),  w = blocks split / multiprocessors, at least 1
///   compute = waves 2 Tm Tn (k / split + ramp) / (efficiency rate / multiprocessors)
///   memory  = traffic / (memory_efficiency bandwidth)
///   split costs split_cost once
///   model   = start + (compute^4 + memory^4)^(1/4), least over the tile shapes (Tm, Tn)
///   time    = model exp(residual(log2 m, log2 n, log2 k)), at least operations / (ceiling rate)
///
/// The residual is trilinear between knots and holds its boundary value outside them, so outside
/// the measured range the utilisation relative to the model stays what it was at the boundary. Tile
/// shapes are those that vendor libraries ship; which one runs is not observed, so the fitted
/// constants are those of the model and not of a kernel. Surfaces are made by hw/fit/.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/problem.h"
#include "core/quantity.h"
#include "core/reader.h"
#include "hw/residual_grid.h"

namespace forerun::hw {

/// What hw/fit/ finds for one accelerator and number format.
struct GemmFit {
  struct Tile {
    std::int64_t m = 0, n = 0;
    double efficiency = 0;  ///< of the peak rate, on an endless k
  };
  struct Range {
    double least = 0, most = 0;
  };
  FlopRate peak{};  ///< dense peak that the efficiencies refer to
  std::vector<Tile> tiles;
  double ramp = 0;          ///< prologue and epilogue of a tile, in elements of k
  double quantisation = 1;  ///< 1: whole waves; 0: work spread evenly (persistent kernels)
  double memory_efficiency = 0;
  double most_pieces = 1;  ///< of k where few waves of tiles would leave the last one half empty
  double ceiling = 1;      ///< share of the peak that no product exceeds: the most measured
  Seconds start{};         ///< of a product, launch cost of the host excluded
  Seconds split_cost{};    ///< of adding up the pieces where k is split
  ResidualGrid residual;   ///< log(time / model) over log2 m, log2 n, log2 k
  Range m, n, k;           ///< measured
  /// What the timed call spends beside the product where tables of 8-bit products cast the
  /// activation inside it: start + bytes(elements) / bandwidth, with the bytes an element rising
  /// from those of a matrix that stays in the last-level cache to those of one that does not, over
  /// the octave about `resident` elements (linear in the logarithm).
  struct Cast {
    Seconds start{};
    double bytes_resident = 0, bytes_streamed = 0;
    double resident = 1;
  };
  std::optional<Cast> cast;
};

/// The machine that a fit is used for: its own or a relative whose rate is scaled.
struct GemmMachine {
  FlopRate rate{};  ///< fit.peak times the ratio of achieved rates (1 for the fit's own machine)
  Bandwidth bandwidth{};
  int multiprocessors = 0;
  double bytes_in = 2;   ///< of an element of A and B
  double bytes_out = 2;  ///< of an element of C
};

struct GemmTime {
  Seconds time{};
  double compute_share = 0;  ///< d log(time) / d log(compute): the part that follows the clock
  bool inside = false;       ///< within the measured ranges of m, n and k
};

class GemmSurface {
 public:
  GemmSurface(GemmFit fit, const GemmMachine& machine, bool own);
  [[nodiscard]] GemmTime at(std::int64_t m, std::int64_t n, std::int64_t k,
                            std::int64_t batch = 1) const;
  /// What tables time beside an m x n x k product; zero if they time nothing else.
  [[nodiscard]] Seconds cast(std::int64_t m, std::int64_t k) const;
  [[nodiscard]] const GemmFit& fit() const { return fit_; }
  /// False for a surface borrowed from another accelerator or number format.
  [[nodiscard]] bool own() const { return own_; }

 private:
  /// A tile shape: which of inverse_sides_ its height and width are, and the seconds that one core
  /// takes for one step of k of it.
  struct Tile {
    std::size_t rows, columns;
    double step;
  };
  static constexpr std::size_t kMostSides = 8;

  [[nodiscard]] double compute(double m, double n, double k, double batch) const;

  GemmFit fit_;
  GemmMachine machine_;
  bool own_;
  std::vector<Tile> tiles_;
  std::vector<double> inverse_sides_;
};

/// Reads one entry of a surface file.
[[nodiscard]] GemmFit read_gemm_fit(Reader reader);

}  // namespace forerun::hw
