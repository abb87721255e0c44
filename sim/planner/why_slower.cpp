#include "sim/planner/why_slower.h"

#include <algorithm>
#include <cmath>

#include "sim/step.h"

namespace forerun::sim {
namespace {

constexpr double kTooLittle = 1e-3;  ///< of the step

}  // namespace

MeanBreakdown mean_breakdown(const Scenario& s) {
  const StepResult step = simulate_step(s);
  MeanBreakdown mean{};
  for (const auto& rank : step.by_rank) {
    for (std::size_t c = 0; c < mean.size(); ++c) mean[c] += rank[c];
  }
  for (Seconds& t : mean) t /= static_cast<double>(step.by_rank.size());
  return mean;
}

std::vector<TimeDifference> differences(const MeanBreakdown& faster, const MeanBreakdown& slower) {
  Seconds whole{};
  for (const Seconds t : faster) whole += t;
  std::vector<TimeDifference> all;
  for (std::size_t c = 0; c < faster.size(); ++c) {
    const Seconds longer = slower[c] - faster[c];
    if (std::abs(longer / whole) < kTooLittle) continue;
    all.push_back({static_cast<Category>(c), longer});
  }
  std::ranges::stable_sort(
      all, [](const TimeDifference& a, const TimeDifference& b) { return a.longer > b.longer; });
  return all;
}

}  // namespace forerun::sim
