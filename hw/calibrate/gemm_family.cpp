#include "hw/calibrate/gemm_family.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "core/statistics.h"
#include "hw/calibrate/scaled_surface.h"
#include "hw/fit/grid_fit.h"
#include "hw/fit/hold_out.h"

namespace forerun::hw {
namespace {

/// Products left out to try a correction: a fifth at a time.
constexpr std::size_t kParts = 5;
constexpr const char* kPartsText = "a fifth at a time";
/// From so many on also to try a rate: one at a time takes their square.
constexpr std::size_t kManyProducts = 200;

/// Where a profile's surface has no residual of its own (a roofline): octaves.
const std::vector<double> kOctaves = {0, 4, 7, 9, 10, 11, 12, 13, 14, 15};

/// Some hundred samples where tables have thousands: they must weigh as much against the penalty,
/// and differences of a tenth are what is sought and no outliers.
constexpr GridSmoothing kSmoothing{
    .penalty = 0.01, .ridge = 0.001, .outlier = 0.1, .reweightings = 6};

double log2_of(std::int64_t n) { return std::log2(static_cast<double>(n)); }

GemmRow row_of(const TimedGemm& t) {
  return {t.gemm.m, t.gemm.n, t.gemm.k, std::string(name(t.gemm.precision)), t.time, Watts{}};
}

void widen(GemmFit::Range& range, std::int64_t size) {
  range.least = std::min(range.least, static_cast<double>(size));
  range.most = std::max(range.most, static_cast<double>(size));
}

/// The profile's surface at its best rate, its residual moved by a smooth grid through what is
/// left: tiles, waves and ramps stay those of the profile, which tables of thousands of shapes
/// made. (A model fitted to some hundred shapes alone, all of them powers of two, misses the shapes
/// between by half.)
GemmFit corrected(const std::vector<TimedGemm>& measured, const Accelerator& a, Precision p,
                  double rate, double most) {
  const double scale = fit_scale(measured, a, p, rate, most);
  const auto scaled = scaled_surface(a, p, rate, scale);
  GemmFit fit = scaled->fit();
  fit.peak = fit.peak * rate * scale;
  std::vector<GridSample> samples;
  double highest = fit.ceiling;
  for (const TimedGemm& t : measured) {
    if (t.gemm.batch != 1) continue;
    samples.push_back({{log2_of(t.gemm.m), log2_of(t.gemm.n), log2_of(t.gemm.k)},
                       std::log(t.time / predicted(*scaled, t)),
                       1.0});
    highest = std::max(highest, flops(Kernel(t.gemm)) / t.time / fit.peak);
    widen(fit.m, t.gemm.m);
    widen(fit.n, t.gemm.n);
    widen(fit.k, t.gemm.k);
  }
  fit.ceiling = std::min(1.0, highest);
  const bool none = fit.residual.empty();
  const std::array<std::vector<double>, 3> knots =
      none ? std::array<std::vector<double>, 3>{kOctaves, kOctaves, kOctaves}
           : fit.residual.knots();
  std::vector<double> values = fit_grid(knots, samples, kSmoothing).values();
  for (std::size_t i = 0; i < values.size() && !none; ++i) values[i] += fit.residual.values()[i];
  fit.residual = ResidualGrid(knots, std::move(values));
  return fit;
}

GemmMachine machine_of(const GemmFit& fit, const Accelerator& a, Precision p) {
  const double bytes_out = p == Precision::fp32 || p == Precision::tf32 ? 4 : 2;
  return {fit.peak, a.memory_bandwidth, a.multiprocessors, bytes_per_element(p), bytes_out};
}

/// `fitted`: the surface made of some of the products.
template <class Fitted>
std::vector<Seconds> leave_parts_out(const std::vector<TimedGemm>& measured, Fitted fitted) {
  std::vector<Seconds> predictions(measured.size());
  for (std::size_t part = 0; part < kParts; ++part) {
    std::vector<TimedGemm> others;
    // By what hangs on the sizes alone, so that the order of the file does not matter.
    const auto in_part = [&](const TimedGemm& t) {
      return static_cast<std::size_t>(draw(row_of(t)) * static_cast<double>(kParts)) == part;
    };
    for (const TimedGemm& t : measured) {
      if (!in_part(t)) others.push_back(t);
    }
    if (others.size() == measured.size() || others.empty()) continue;
    const auto surface = fitted(others);
    for (std::size_t i = 0; i < measured.size(); ++i) {
      if (in_part(measured[i])) predictions[i] = predicted(*surface, measured[i]);
    }
  }
  return predictions;
}

template <class Fitted>
std::vector<Seconds> leave_one_out(const std::vector<TimedGemm>& measured, Fitted fitted) {
  std::vector<Seconds> predictions(measured.size());
  if (measured.size() < 2) return predictions;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    std::vector<TimedGemm> others = measured;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    predictions[i] = predicted(*fitted(others), measured[i]);
  }
  return predictions;
}

/// A functional test of one iteration, or a library that nobody tuned, is no calibration.
std::string far_text(double scale) {
  constexpr double kFar = 1.4;
  return scale > kFar || scale < 1 / kFar ? " (far from the profile: was it tuned and warm?)" : "";
}

std::string products(std::size_t n) { return fmt::format("{} product{}", n, n == 1 ? "" : "s"); }

}  // namespace

std::vector<TimedGemm> each_shape_once(const std::vector<TimedGemm>& all) {
  std::map<Gemm, std::size_t> first;
  std::map<Gemm, std::vector<double>> times;
  std::vector<TimedGemm> out;
  for (const TimedGemm& t : all) {
    if (first.emplace(t.gemm, out.size()).second) out.push_back(t);
    times[t.gemm].push_back(t.time.base());
  }
  for (TimedGemm& t : out) t.time = Seconds(median(times[t.gemm]));
  return out;
}

GemmCalibration calibrate_gemm(const std::vector<TimedGemm>& measured, const Accelerator& a,
                               Precision precision, double rate, double most) {
  GemmCalibration c;
  c.family.name = fmt::format("gemm {}", name(precision));
  const auto old = scaled_surface(a, precision, rate, 1);
  for (const TimedGemm& t : measured) {
    std::string what = fmt::format("{} x {} x {}", t.gemm.m, t.gemm.n, t.gemm.k);
    if (t.gemm.batch > 1) what += fmt::format(", {} at once", t.gemm.batch);
    c.family.points.push_back({t.place, std::move(what), t.time, predicted(*old, t), {}});
  }
  const auto left_out = [&](const std::vector<Seconds>& predictions) {
    for (std::size_t i = 0; i < predictions.size(); ++i) {
      c.family.points[i].left_out = predictions[i];
    }
  };
  const auto scaled = [&](const std::vector<TimedGemm>& others) {
    return scaled_surface(a, precision, rate, fit_scale(others, a, precision, rate, most));
  };
  const auto surface = [&](const std::vector<TimedGemm>& others) {
    const GemmFit fit = corrected(others, a, precision, rate, most);
    return std::make_shared<const GemmSurface>(fit, machine_of(fit, a, precision), true);
  };
  c.scale = fit_scale(measured, a, precision, rate, most);
  const std::string far = far_text(c.scale) + bound_text(c.scale, most);
  const bool many = measured.size() >= kManyProducts;
  left_out(many ? leave_parts_out(measured, scaled) : leave_one_out(measured, scaled));
  c.family.left_out_how = many ? kPartsText : measured.size() > 1 ? "one at a time" : "";
  if (measured.size() < kFewestToFit) {
    c.family.did = fmt::format("rate x {:.3f}{}: {}, a surface takes {}", c.scale, far,
                               products(measured.size()), kFewestToFit);
    return c;
  }
  const double scaled_error = c.family.left_out().median;
  const std::vector<CalibratedPoint> scaled_points = c.family.points;
  left_out(leave_parts_out(measured, surface));
  const double fitted_error = c.family.left_out().median;
  if (fitted_error >= scaled_error) {
    c.family.points = scaled_points;
    c.family.did = fmt::format(
        "rate x {:.3f}{}: a corrected surface misses left-out products by {:.1f} %, this by "
        "{:.1f} %",
        c.scale, far, 100 * fitted_error, 100 * scaled_error);
    return c;
  }
  c.fit = corrected(measured, a, precision, rate, most);
  c.family.did = fmt::format("surface corrected by {}", products(measured.size()));
  c.family.left_out_how = kPartsText;
  return c;
}

}  // namespace forerun::hw
