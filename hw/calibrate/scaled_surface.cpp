#include "hw/calibrate/scaled_surface.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "hw/fit/minimise.h"

namespace forerun::hw {
namespace {

constexpr double kFar = 0.3;  ///< of a logarithm: beyond, another kernel ran
constexpr double kFirstStep = 0.1;
constexpr int kRounds = 40;

template <class Timed, class Surface>
double best_scale(const std::vector<Timed>& measured, double most, Surface surface) {
  const auto loss = [&](const std::vector<double>& p) {
    if (std::abs(p[0]) > std::log(kMostScale)) return 1e9;
    const auto scaled = surface(std::exp(p[0]));
    double sum = 0;
    for (const Timed& t : measured) {
      sum += robust(std::log(predicted(*scaled, t) / t.time), kFar);
    }
    return sum;
  };
  return std::min(most, std::exp(minimise({0.0}, {kFirstStep}, loss, kRounds)[0]));
}

}  // namespace

std::shared_ptr<const GemmSurface> scaled_surface(const Accelerator& a, Precision precision,
                                                  double rate, double scale) {
  const auto at = a.gemm.find(precision);
  if (at == a.gemm.end()) return nullptr;
  const GemmFit& fit = at->second->fit();
  const double bytes_out = precision == Precision::fp32 || precision == Precision::tf32 ? 4 : 2;
  const GemmMachine machine{fit.peak * rate * scale, a.memory_bandwidth, a.multiprocessors,
                            bytes_per_element(precision), bytes_out};
  return std::make_shared<const GemmSurface>(fit, machine, false);
}

std::shared_ptr<const AttentionSurface> scaled_surface(const Accelerator& a, AttentionKernel kernel,
                                                       double rate, double scale) {
  const auto at = a.attention.find(kernel);
  if (at == a.attention.end()) return nullptr;
  const AttentionFit& fit = at->second->fit();
  const AttentionMachine machine{fit.peak * rate * scale,
                                 a.memory_bandwidth * a.streaming_efficiency, a.multiprocessors};
  return std::make_shared<const AttentionSurface>(fit, machine, false);
}

Seconds predicted(const GemmSurface& surface, const TimedGemm& t) {
  return surface.at(t.gemm.m, t.gemm.n, t.gemm.k, t.gemm.batch).time;
}
Seconds predicted(const AttentionSurface& surface, const TimedAttention& t) {
  return surface.at(t.attention).time;
}

double fit_scale(const std::vector<TimedGemm>& measured, const Accelerator& a, Precision precision,
                 double rate, double most) {
  return best_scale(measured, most,
                    [&](double scale) { return scaled_surface(a, precision, rate, scale); });
}

double fit_scale(const std::vector<TimedAttention>& measured, const Accelerator& a,
                 AttentionKernel kernel, double rate, double most) {
  return best_scale(measured, most,
                    [&](double scale) { return scaled_surface(a, kernel, rate, scale); });
}

std::string bound_text(double scale, double most) {
  constexpr double kNear = 0.99;  // of the bound, which the search may only approach
  if (scale < 1 / (kNear * kMostScale)) return fmt::format(" (held at 1 / {})", kMostScale);
  if (scale < kNear * most) return {};
  return most < kMostScale ? " (held at the peak)" : fmt::format(" (held at {})", kMostScale);
}

}  // namespace forerun::hw
