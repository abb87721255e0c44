#include "hw/fit/gemm_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

#include "hw/fit/grid_fit.h"
#include "hw/fit/minimise.h"

namespace forerun::hw {

namespace {

/// Tile shapes that vendor libraries ship.
constexpr std::array<std::array<std::int64_t, 2>, 15> kTiles = {{{256, 256},
                                                                 {256, 128},
                                                                 {128, 256},
                                                                 {256, 192},
                                                                 {192, 256},
                                                                 {192, 128},
                                                                 {128, 192},
                                                                 {128, 128},
                                                                 {64, 256},
                                                                 {256, 64},
                                                                 {64, 128},
                                                                 {128, 64},
                                                                 {64, 64},
                                                                 {32, 128},
                                                                 {128, 32}}};

// Half an octave where training's sizes lie, an octave or more outside.
const std::vector<double> kKnotsM = {0, 4, 7, 9, 10, 11, 12, 13, 14, 15};
const std::vector<double> kKnotsNK = {5,  6,    7,  8,    9,  9.5,  10, 10.5,
                                      11, 11.5, 12, 12.5, 13, 13.5, 14, 15.8};

constexpr int kRounds = 25;
constexpr double kMostPieces = 4;      ///< tried against 1
constexpr std::int64_t kLargeM = 512;  ///< below, rows are few and weigh less
constexpr double kSmallWeight = 0.3;
constexpr double kFar = 0.3;  ///< log errors beyond are another kernel's business
/// Products of which the cast leaves less than this share of the call say nothing.
constexpr double kLeastShare = 0.2;
/// Products of which it leaves this share are known well enough to tell the highest rate.
constexpr double kClearShare = 0.8;

double log2_of(std::int64_t n) { return std::log2(static_cast<double>(n)); }
double weight(const GemmRow& row) { return row.m >= kLargeM ? 1 : kSmallWeight; }

/// The parameters as a vector of logarithms: tiles, ramp, quantisation, memory efficiency, start,
/// split cost, then start, resident bytes, streamed bytes and resident size of the cast.
enum Parameter : std::size_t {
  ramp = kTiles.size(),
  quantisation,
  memory_efficiency,
  start,
  split_cost,
  cast_start,
  cast_resident_bytes,
  cast_streamed_bytes,
  cast_resident,
  parameters
};

GemmFit unpack(const std::vector<double>& p, const GemmFitTask& task, double most_pieces) {
  GemmFit fit;
  fit.most_pieces = most_pieces;
  fit.peak = task.peak;
  for (std::size_t i = 0; i < kTiles.size(); ++i) {
    fit.tiles.push_back({kTiles[i][0], kTiles[i][1], std::exp(p[i])});
  }
  fit.ramp = std::exp(p[ramp]);
  fit.quantisation = std::exp(p[quantisation]);
  fit.memory_efficiency = std::exp(p[memory_efficiency]);
  fit.start = Seconds(1e-6 * std::exp(p[start]));
  fit.split_cost = Seconds(1e-6 * std::exp(p[split_cost]));
  if (task.plain) {
    fit.cast =
        GemmFit::Cast{Seconds(1e-6 * std::exp(p[cast_start])), std::exp(p[cast_resident_bytes]),
                      std::exp(p[cast_streamed_bytes]), std::exp(p[cast_resident])};
  }
  return fit;
}

std::vector<double> first_guess(const GemmFitTask& task) {
  std::vector<double> p;
  for (const auto& [m, n] : kTiles) {
    const double area = static_cast<double>(m * n) / (256.0 * 128.0);
    p.push_back(std::log(0.75 * std::pow(std::min(1.0, area), 0.35)));
  }
  for (const double v : {200.0, 0.6, 0.85, 2.2, 1.5, 8.0, 5.0, 8.0, 1.2e7})
    p.push_back(std::log(v));
  if (task.plain) {
    p[memory_efficiency] = std::log(task.plain->memory_efficiency);
    p[start] = std::log(task.plain->start.in(Seconds(1e-6)));
  }
  return p;
}

std::vector<double> steps(const GemmFitTask& task) {
  std::vector<double> s(parameters, 0.2);
  if (task.plain) {
    s[memory_efficiency] = s[start] = 0;
  } else {
    for (const Parameter c :
         {cast_start, cast_resident_bytes, cast_streamed_bytes, cast_resident}) {
      s[c] = 0;
    }
  }
  return s;
}

/// Constants that fit best when sample i's product is slower than the model by exp(correction[i]).
std::vector<double> fit_model(const GemmFitTask& task, double most_pieces, std::vector<double> from,
                              const std::vector<double>& correction) {
  const auto loss = [&](const std::vector<double>& p) {
    const GemmSurface surface(unpack(p, task, most_pieces), task.machine, true);
    double sum = 0, total = 0;
    for (std::size_t i = 0; i < task.rows.size(); ++i) {
      const GemmRow& r = task.rows[i];
      const Seconds time =
          surface.at(r.m, r.n, r.k).time * std::exp(correction[i]) + surface.cast(r.m, r.k);
      sum += weight(r) * robust(std::log(time / r.time), kFar);
      total += weight(r);
    }
    // No tile beats the peak, and no more than whole waves are lost.
    double wall = 0;
    for (std::size_t i = 0; i <= quantisation; ++i) {
      if (i != ramp) wall += std::max(0.0, p[i]);
    }
    return sum / total + 100 * wall;
  };
  return minimise(std::move(from), steps(task), loss, kRounds);
}

ResidualGrid fit_residual(const GemmFitTask& task, const GemmFit& fit) {
  const GemmSurface surface(fit, task.machine, true);
  std::vector<GridSample> samples;
  for (const GemmRow& r : task.rows) {
    const Seconds product = r.time - surface.cast(r.m, r.k);
    const double share = product / r.time;
    if (share < kLeastShare) continue;
    samples.push_back({{log2_of(r.m), log2_of(r.n), log2_of(r.k)},
                       std::log(product / surface.at(r.m, r.n, r.k).time),
                       weight(r) * share * share});
  }
  return fit_grid({kKnotsM, kKnotsNK, kKnotsNK}, samples, GridSmoothing{});
}

/// Constants as surface files hold them: four digits.
GemmFit rounded(GemmFit fit) {
  const auto digits = [](double v) {
    const double scale = std::pow(10.0, 3 - std::floor(std::log10(v)));
    return std::round(v * scale) / scale;
  };
  const auto time = [&](Seconds s) { return Seconds(digits(s.in(Seconds(1e-6))) * 1e-6); };
  for (GemmFit::Tile& t : fit.tiles) t.efficiency = digits(t.efficiency);
  fit.ramp = digits(fit.ramp);
  fit.quantisation = std::min(1.0, digits(fit.quantisation));
  fit.memory_efficiency = digits(fit.memory_efficiency);
  fit.start = time(fit.start);
  fit.split_cost = time(fit.split_cost);
  if (fit.cast) {
    *fit.cast = {time(fit.cast->start), digits(fit.cast->bytes_resident),
                 digits(fit.cast->bytes_streamed), digits(fit.cast->resident)};
  }
  return fit;
}

/// Constants and residual, each fitted twice given the other.
GemmFit fit_with(const GemmFitTask& task, double most_pieces) {
  std::vector<double> correction(task.rows.size(), 0);
  std::vector<double> p = fit_model(task, most_pieces, first_guess(task), correction);
  GemmFit fit = rounded(unpack(p, task, most_pieces));
  const ResidualGrid residual = fit_residual(task, fit);
  for (std::size_t i = 0; i < task.rows.size(); ++i) {
    const GemmRow& r = task.rows[i];
    correction[i] = residual.at(log2_of(r.m), log2_of(r.n), log2_of(r.k));
  }
  p = fit_model(task, most_pieces, std::move(p), correction);
  fit = rounded(unpack(p, task, most_pieces));
  fit.residual = fit_residual(task, fit);
  return fit;
}

double mean_error(const GemmFitTask& task, const GemmFit& fit) {
  const GemmSurface surface(fit, task.machine, true);
  double sum = 0, total = 0;
  for (const GemmRow& r : task.rows) {
    const Seconds time = surface.at(r.m, r.n, r.k).time + surface.cast(r.m, r.k);
    sum += weight(r) * robust(std::log(time / r.time), kFar);
    total += weight(r);
  }
  return sum / total;
}

/// Tables hold a few times that noise made too short, so the most but one in a thousand.
double highest_utilisation(const GemmFitTask& task, const GemmFit& fit) {
  const GemmSurface surface(fit, task.machine, true);
  std::vector<double> shares;
  for (const GemmRow& r : task.rows) {
    const double operations =
        2.0 * static_cast<double>(r.m) * static_cast<double>(r.n) * static_cast<double>(r.k);
    const Seconds product = r.time - surface.cast(r.m, r.k);
    if (product < kClearShare * r.time) continue;
    shares.push_back(Flops(operations) / product / task.peak);
  }
  std::ranges::sort(shares, std::greater{});
  return std::min(1.0, shares.at(shares.size() / 1000));
}

}  // namespace

GemmFit fit_gemm(const GemmFitTask& task) {
  GemmFit fit = fit_with(task, 1);
  if (GemmFit other = fit_with(task, kMostPieces);
      mean_error(task, other) < mean_error(task, fit)) {
    fit = std::move(other);
  }
  fit.ceiling = std::round(highest_utilisation(task, fit) * 1e4) / 1e4;
  const auto range = [&](auto member) {
    const auto [least, most] = std::ranges::minmax(task.rows, {}, member);
    return GemmFit::Range{static_cast<double>(least.*member), static_cast<double>(most.*member)};
  };
  fit.m = range(&GemmRow::m);
  fit.n = range(&GemmRow::n);
  fit.k = range(&GemmRow::k);
  return fit;
}

}  // namespace forerun::hw
