#include "hw/fit/roofline_fit.h"

#include <algorithm>
#include <cmath>

#include "hw/fit/hold_out.h"
#include "hw/fit/minimise.h"

namespace forerun::hw {

namespace {

constexpr int kRounds = 20;
constexpr double kFar = 0.3;
constexpr double kSampled = 0.12;  ///< of the fitted rows: seven constants need no more

double share(double logit) { return 1 / (1 + std::exp(-logit)); }

/// Smaller tiles never have more than larger ones.
GemmRooflineShape unpack(const std::vector<double>& p) {
  return {.square = share(p[0]),
          .narrow = share(p[0]) * share(p[1]),
          .least = share(p[0]) * share(p[1]) * share(p[2]),
          .ramp = std::exp(p[3]),
          .quantisation = share(p[4]),
          .memory = std::exp(p[5]),
          .split_cost = Seconds(std::exp(p[6]) * 1e-6)};
}

GemmSurface surface_of(const RooflineSubject& s, const GemmRooflineShape& shape) {
  const Accelerator& a = s.accelerator;
  const FlopRate peak = matrix_peak(a);
  return {gemm_roofline(peak, s.reached, a, shape),
          {peak, a.memory_bandwidth, a.multiprocessors, 2, 2},
          false};
}

double loss(const RooflineSubject& s, const GemmRooflineShape& shape) {
  const GemmSurface surface = surface_of(s, shape);
  double sum = 0, rows = 0;
  for (const GemmRow& r : s.fitted) {
    if (draw(r) > kSampled) continue;
    sum += robust(std::log(surface.at(r.m, r.n, r.k).time / r.time), kFar);
    rows += 1;
  }
  return rows > 0 ? sum / rows : 0;
}

}  // namespace

GemmRooflineShape fit_gemm_shape(const std::vector<RooflineSubject>& subjects) {
  const std::vector<double> first = {3, 1.5, 0.5, std::log(130.0), -1, std::log(0.85), 1};
  const auto all = [&](const std::vector<double>& p) {
    const GemmRooflineShape shape = unpack(p);
    double sum = 0;
    for (const RooflineSubject& s : subjects) sum += loss(s, shape);
    return sum / static_cast<double>(std::max<std::size_t>(1, subjects.size()));
  };
  return unpack(minimise(first, {0.5, 0.5, 0.5, 0.3, 0.5, 0.1, 0.3}, all, kRounds));
}

ErrorSummary roofline_errors(const RooflineSubject& subject, const std::vector<GemmRow>& rows,
                             const GemmRooflineShape& shape) {
  const GemmSurface surface = surface_of(subject, shape);
  std::vector<double> errors;
  for (const GemmRow& r : rows) {
    errors.push_back(surface.at(r.m, r.n, r.k).time / r.time - 1);
  }
  return summary(errors);
}

}  // namespace forerun::hw
