#include "hw/gemm_surface.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace forerun::hw {

namespace {

/// (a^4 + b^4)^(1/4): close to the larger of two times that overlap, above it where they are alike.
double overlap(double a, double b) {
  const double a2 = a * a, b2 = b * b;
  return std::sqrt(std::sqrt(a2 * a2 + b2 * b2));
}

double real(std::int64_t count) { return static_cast<double>(count); }

double whole_down(double x) { return real(static_cast<std::int64_t>(x)); }

/// The least whole number not below `x`, for 0 <= x < 2^53; std::ceil calls into the library on
/// plain x86-64.
double whole_up(double x) {
  const double down = whole_down(x);
  return down < x ? down + 1 : down;
}

constexpr double kLeastSplit = 256;  // of k in one piece; below it no library splits
constexpr double kFewWaves = 4;      // beyond, whole waves lose too little to split k for

}  // namespace

GemmSurface::GemmSurface(GemmFit fit, const GemmMachine& machine, bool own)
    : fit_(std::move(fit)), machine_(machine), own_(own) {
  FORERUN_ASSERT(
      !fit_.tiles.empty() && machine_.multiprocessors > 0 && machine_.rate.base() > 0,
      fmt::format("{} tiles, {} multiprocessors", fit_.tiles.size(), machine_.multiprocessors));
  // Tiles share few heights and widths: how many cover m and n is found once for each.
  std::vector<double> sides;
  const auto side = [&](std::int64_t length) {
    const auto at = std::ranges::find(sides, real(length));
    if (at != sides.end()) return static_cast<std::size_t>(at - sides.begin());
    sides.push_back(real(length));
    return sides.size() - 1;
  };
  for (const GemmFit::Tile& t : fit_.tiles) {
    const double core_rate = t.efficiency * machine_.rate.base() / machine_.multiprocessors;
    tiles_.push_back({side(t.m), side(t.n), 2.0 * real(t.m) * real(t.n) / core_rate});
  }
  FORERUN_ASSERT(sides.size() <= kMostSides, fmt::format("{} lengths of tiles", sides.size()));
  for (const double length : sides) inverse_sides_.push_back(1 / length);
}

double GemmSurface::compute(double m, double n, double k, double batch) const {
  std::array<double, kMostSides> rows, columns;
  for (std::size_t i = 0; i < inverse_sides_.size(); ++i) {
    // A product with the inverse is a little off the quotient, which matters where that is whole:
    // fractions of a tile are a thousandth or more, so a millionth less keeps whole ones whole.
    rows[i] = whole_up(m * inverse_sides_[i] - 1e-6);
    columns[i] = whole_up(n * inverse_sides_[i] - 1e-6) * batch;
  }
  const double cores = machine_.multiprocessors, each = 1 / cores;
  double least = std::numeric_limits<double>::infinity();
  for (const Tile& t : tiles_) {
    const double blocks = rows[t.rows] * columns[t.columns];
    double time;
    if (blocks > cores) {
      const double w = blocks * each;
      const double waves = w + fit_.quantisation * (whole_up(w) - w);
      time = waves * (k + fit_.ramp) * t.step;
      const double most = w < kFewWaves ? std::min(fit_.most_pieces, k / kLeastSplit) : 1;
      for (double pieces = 2; pieces <= most; ++pieces) {
        const double v = w * pieces;
        const double fine = v + fit_.quantisation * (whole_up(v) - v);
        time = std::min(time, fine * (k / pieces + fit_.ramp) * t.step + fit_.split_cost.base());
      }
    } else {
      // Cores left idle take pieces of k; the wave is the first and only one.
      const double split = std::max(1.0, whole_down(std::min(cores / blocks, k / kLeastSplit)));
      time = (k / split + fit_.ramp) * t.step + (split > 1 ? fit_.split_cost.base() : 0);
    }
    least = std::min(least, time);
  }
  return least;
}

GemmTime GemmSurface::at(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t batch) const {
  FORERUN_ASSERT(m > 0 && n > 0 && k > 0 && batch > 0,
                 fmt::format("{} x {} x {}, batch {}", m, n, k, batch));
  const double rm = real(m), rn = real(n), rk = real(k), rb = real(batch);
  const double math = compute(rm, rn, rk, rb);
  const double bytes = rb * (machine_.bytes_in * (rm + rn) * rk + machine_.bytes_out * rm * rn);
  const double memory = bytes / (fit_.memory_efficiency * machine_.bandwidth.base());
  const double body = overlap(math, memory);
  const double start = fit_.start.base();
  // Batched products fill the cores as a product of as many rows would.
  const double factor =
      std::exp(fit_.residual.at(std::log2(rm * rb), std::log2(rn), std::log2(rk)));
  const double least = 2 * rm * rn * rk * rb / (fit_.ceiling * machine_.rate.base());
  const double square = math / body * (math / body);
  const auto in = [](const GemmFit::Range& r, double x) { return r.least <= x && x <= r.most; };
  return {Seconds(std::max((start + body) * factor, least)),
          square * square * body / (start + body),
          batch == 1 && in(fit_.m, rm) && in(fit_.n, rn) && in(fit_.k, rk)};
}

Seconds GemmSurface::cast(std::int64_t m, std::int64_t k) const {
  if (!fit_.cast) return Seconds(0);
  const double elements = static_cast<double>(m) * static_cast<double>(k);
  const double streamed = std::clamp(std::log2(elements / fit_.cast->resident) + 0.5, 0.0, 1.0);
  const double bytes = fit_.cast->bytes_resident +
                       streamed * (fit_.cast->bytes_streamed - fit_.cast->bytes_resident);
  return fit_.cast->start + Bytes(bytes * elements) / machine_.bandwidth;
}

GemmFit read_gemm_fit(Reader reader) {
  GemmFit fit;
  fit.peak = reader.flop_rate("peak");
  if (!(fit.peak.base() > 0)) reader.problem("peak", "expected more than zero");
  for (Reader& r : reader.objects("tiles")) {
    fit.tiles.push_back(
        {r.integer("m", 1, 1024), r.integer("n", 1, 1024), r.number("efficiency", 1e-3, 1.5)});
    r.finish();
  }
  if (fit.tiles.empty()) reader.problem("tiles", "expected at least one tile shape");
  fit.ramp = reader.number("ramp", 0, 1e5);
  fit.quantisation = reader.number("quantisation", 0, 1);
  fit.memory_efficiency = reader.number("memory_efficiency", 0.05, 3);
  fit.most_pieces = static_cast<double>(reader.integer("most_pieces", 1, 16));
  fit.ceiling = reader.number("ceiling", 0.05, 1);
  fit.start = reader.seconds("start");
  fit.split_cost = reader.seconds("split_cost");
  fit.residual = read_residual_grid(reader.object("residual"), {"log2_m", "log2_n", "log2_k"});
  Reader measured = reader.object("measured");
  for (const auto& [key, range] : {std::pair{"m", &fit.m}, {"n", &fit.n}, {"k", &fit.k}}) {
    const std::vector<std::int64_t> ends = measured.integers(key, 1, 1 << 30);
    if (ends.size() == 2) {
      *range = {static_cast<double>(ends[0]), static_cast<double>(ends[1])};
    } else {
      measured.problem(key, fmt::format("expected [least, most], found {} values", ends.size()));
    }
  }
  measured.finish();
  if (reader.has("cast")) {
    Reader cast = reader.object("cast");
    fit.cast =
        GemmFit::Cast{cast.seconds("start"), cast.number("bytes_resident", 0, 100),
                      cast.number("bytes_streamed", 0, 100), cast.number("resident", 1, 1e12)};
    cast.finish();
  }
  (void)reader.has("fit");  // what the fit program noted about itself, for people
  reader.finish();
  return fit;
}

}  // namespace forerun::hw
