#include "sim/sweep/summary.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace forerun::sim {
namespace {

struct Wanted {
  const char *metric, *words;
};
constexpr std::array kWanted = {Wanted{"days_p50", "days"}, Wanted{"cost_usd_p50", "cost"},
                                Wanted{"loss.mean", "loss"}, Wanted{"step_s", "step time"}};
constexpr const char* kDays = "days_p50";

std::optional<std::size_t> index_of(const std::vector<StoredMetric>& metrics,
                                    const std::string& name) {
  const auto found = std::ranges::find(metrics, name, &StoredMetric::name);
  if (found == metrics.end()) return std::nullopt;
  return static_cast<std::size_t>(found - metrics.begin());
}

void put(std::vector<StoredPoint>& best, const StoredPoint& p, std::size_t metric,
         std::size_t most) {
  const auto better = [&](const StoredPoint& one, const StoredPoint& other) {
    return *one.values[metric] < *other.values[metric];
  };
  best.insert(std::upper_bound(best.begin(), best.end(), p, better), p);
  if (best.size() > most) best.pop_back();
}

}  // namespace

std::optional<double> SweepSummary::value(const StoredPoint& p, const std::string& metric) const {
  const std::optional<std::size_t> i = index_of(metrics, metric);
  return i ? p.values[*i] : std::nullopt;
}

SweepSummary summarise(const std::string& store, std::size_t most) {
  const StoredSweep stored(store);
  SweepSummary out;
  out.metrics = stored.metrics();
  std::vector<std::size_t> metrics;
  for (const Wanted& w : kWanted) {
    const std::optional<std::size_t> i = index_of(out.metrics, w.metric);
    // Where there are days, they say what the step's time says.
    if (!i || (std::string(w.metric) == "step_s" && index_of(out.metrics, kDays))) continue;
    out.objectives.push_back({w.metric, out.metrics[*i].unit, w.words, {}});
    metrics.push_back(*i);
  }
  const std::optional<std::size_t> given_up = index_of(out.metrics, "given_up");
  std::map<std::pair<std::string, std::string>, SweepSummary::Failure> failures;
  stored.each([&](const StoredPoint& p) {
    ++out.points;
    if (p.status != "answered") {
      auto& f = failures
                    .try_emplace({p.status, p.cause},
                                 SweepSummary::Failure{p.status, p.cause, 0, p.point, p.reason})
                    .first->second;
      ++f.count;
      return;
    }
    ++out.answered;
    if (given_up && p.values[*given_up].value_or(0) > kMostGivenUp) {
      ++out.given_up;
      return;
    }
    for (std::size_t k = 0; k < metrics.size(); ++k) {
      if (p.values[metrics[k]]) put(out.objectives[k].best, p, metrics[k], most);
    }
  });
  for (auto& [key, f] : failures) out.failures.push_back(std::move(f));
  std::ranges::stable_sort(out.failures, std::ranges::greater{}, &SweepSummary::Failure::count);
  return out;
}

}  // namespace forerun::sim
