#include "core/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/error.h"

namespace forerun {
namespace {

/// Rank of each value, from 1; equal values share the mean of their ranks.
std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> out(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    const double shared = 1.0 + 0.5 * static_cast<double>(first + last);
    for (std::size_t i = first; i <= last; ++i) out[order[i]] = shared;
    first = last + 1;
  }
  return out;
}

}  // namespace

double mean(std::span<const double> values) {
  FORERUN_ASSERT(!values.empty(), "mean of no values");
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double quantile(std::span<const double> values, double p) {
  FORERUN_ASSERT(!values.empty() && p >= 0 && p <= 1,
                 fmt::format("{} values, p {}", values.size(), p));
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double at = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(at));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

double median(std::span<const double> values) { return quantile(values, 0.5); }

double spearman(std::span<const double> x, std::span<const double> y) {
  FORERUN_ASSERT(x.size() == y.size() && x.size() >= 2,
                 fmt::format("samples of {} and {}", x.size(), y.size()));
  const std::vector<double> a = ranks(x), b = ranks(y);
  const double middle = 0.5 * static_cast<double>(x.size() + 1);
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - middle) * (b[i] - middle);
    aa += (a[i] - middle) * (a[i] - middle);
    bb += (b[i] - middle) * (b[i] - middle);
  }
  return aa == 0 || bb == 0 ? 0.0 : ab / std::sqrt(aa * bb);
}

Interval bootstrap_mean(std::span<const double> values, double level, const Stream& stream,
                        std::int64_t draws) {
  FORERUN_ASSERT(!values.empty() && level > 0 && level < 1 && draws > 0,
                 fmt::format("{} values, level {}, {} draws", values.size(), level, draws));
  std::vector<double> means;
  means.reserve(static_cast<std::size_t>(draws));
  std::uint64_t next = 0;
  for (std::int64_t d = 0; d < draws; ++d) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum += values[stream.below(next++, values.size())];
    }
    means.push_back(sum / static_cast<double>(values.size()));
  }
  return {quantile(means, 0.5 * (1 - level)), quantile(means, 0.5 * (1 + level))};
}

}  // namespace forerun
