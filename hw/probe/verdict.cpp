#include "hw/probe/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/statistics.h"

namespace forerun::hw {

ProbeSummary summarise(std::span<const double> samples) {
  return {Seconds(median(samples)), Seconds(quantile(samples, 0.75) - quantile(samples, 0.25))};
}

double largest_error(std::span<const double> got, std::span<const double> exact) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (got.size() != exact.size()) return kInfinity;
  double error = 0, scale = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i]) || !std::isfinite(exact[i])) return kInfinity;
    error = std::max(error, std::abs(got[i] - exact[i]));
    scale = std::max(scale, std::abs(exact[i]));
  }
  if (error == 0) return 0;
  return scale > 0 ? error / scale : kInfinity;
}

double probe_tolerance(const ProbeShape& s) {
  switch (s.family) {
    case ProbeFamily::modality_gather:
    case ProbeFamily::modality_scatter:
    case ProbeFamily::copy_device:
    case ProbeFamily::copy_to_device:
    case ProbeFamily::copy_from_device:
    case ProbeFamily::launch_stream:
    case ProbeFamily::launch_graph:
      return 0;
    case ProbeFamily::adam:
      return 1e-3;
    case ProbeFamily::attention:
      // The backward pass rounds shares and slopes to 16 bit between its products.
      if (s.pass == ProbePass::backward) return std::ldexp(16, -9);
      break;
    default:
      break;
  }
  switch (s.precision.value_or(Precision::bf16)) {
    case Precision::fp16:
      return std::ldexp(8, -12);
    case Precision::tf32:
      return std::ldexp(8, -11);
    default:
      return std::ldexp(8, -9);
  }
}

std::string wrong_result(const ProbeShape& s, double error) {
  const double most = probe_tolerance(s);
  if (error <= most) return {};  // false for NaN, so that is wrong too
  return fmt::format("wrong result: relative error {:.3g}, at most {:.3g} is right", error, most);
}

}  // namespace forerun::hw
