#include "hw/gemm_surface.h"

#include <fmt/format.h>

#include <algorithm>
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

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

constexpr std::int64_t kLeastSplit = 256;  // of k in one piece; below it no library splits

}  // namespace

GemmSurface::GemmSurface(GemmFit fit, const GemmMachine& machine, bool own)
    : fit_(std::move(fit)), machine_(machine), own_(own) {
  FORERUN_ASSERT(
      !fit_.tiles.empty() && machine_.multiprocessors > 0 && machine_.rate.base() > 0,
      fmt::format("{} tiles, {} multiprocessors", fit_.tiles.size(), machine_.multiprocessors));
  for (const GemmFit::Tile& t : fit_.tiles) {
    block_rate_.push_back(t.efficiency * machine_.rate.base() / machine_.multiprocessors /
                          (2.0 * static_cast<double>(t.m) * static_cast<double>(t.n)));
  }
}

GemmTime GemmSurface::at(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t batch) const {
  FORERUN_ASSERT(m > 0 && n > 0 && k > 0 && batch > 0,
                 fmt::format("{} x {} x {}, batch {}", m, n, k, batch));
  const double rm = static_cast<double>(m), rn = static_cast<double>(n);
  const double rk = static_cast<double>(k), rb = static_cast<double>(batch);
  const std::int64_t cores = machine_.multiprocessors;
  double compute = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < fit_.tiles.size(); ++i) {
    const GemmFit::Tile& t = fit_.tiles[i];
    const std::int64_t blocks = ceil_div(m, t.m) * ceil_div(n, t.n) * batch;
    const std::int64_t split =
        std::clamp<std::int64_t>(cores / blocks, 1, std::max<std::int64_t>(1, k / kLeastSplit));
    const double w = static_cast<double>(blocks * split) / static_cast<double>(cores);
    const double waves = w <= 1 ? 1 : w + fit_.quantisation * (std::ceil(w) - w);
    const double time = waves * (rk / static_cast<double>(split) + fit_.ramp) / block_rate_[i] +
                        (split > 1 ? fit_.split_cost.base() : 0.0);
    compute = std::min(compute, time);
  }
  const double bytes = rb * (machine_.bytes_in * (rm + rn) * rk + machine_.bytes_out * rm * rn);
  const double memory = bytes / (fit_.memory_efficiency * machine_.bandwidth.base());
  const double body = overlap(compute, memory);
  const double start = fit_.start.base();
  // Batched products fill the cores as a product of as many rows would.
  const double factor =
      std::exp(fit_.residual.at(std::log2(rm * rb), std::log2(rn), std::log2(rk)));
  const double share = std::pow(compute / body, 4) * body / (start + body);
  const auto in = [](const GemmFit::Range& r, double x) { return r.least <= x && x <= r.most; };
  return {Seconds((start + body) * factor), share,
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
